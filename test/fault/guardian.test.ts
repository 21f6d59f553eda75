import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { emptyAccounting } from '../../server/service/restartCore.ts';
import { readGuardianFile, writeGuardianFile } from '../../server/store/guardianFile.ts';
import { guardianPath, logsFolder } from '../../server/store/paths.ts';
import {
  closeWorkspaces,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('the guardian of a supervisor', () => {
  afterEach(closeWorkspaces);

  /** Another one than `lost`, that the file names. */
  const replacementOf = (workspace: SupervisedWorkspace, lost: number): Promise<number> =>
    until('another guardian', () => {
      const pid = readGuardianFile(workspace.stateDir)?.guardian?.pid ?? null;
      return pid !== null && pid !== lost && identify(pid) !== null && pid;
    });

  it('has a successor in charge within 3 s of a SIGKILL, with the same trees under the same pids', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const supervisor = await workspace.up();
    const before = workspace.processes();
    const began = performance.now();
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    const status = await workspace.status();
    const took = performance.now() - began;
    assert.ok(took < 3000, `${took} ms`);
    assert.deepEqual(
      status.services.map(({ name, state }) => [name, state]),
      [
        ['web', 'ready'],
        ['other', 'ready'],
      ],
    );
    assert.deepEqual(workspace.processes(), before);
  });

  it('is one, and another one, after a succession', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const first = workspace.guardian();
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    await untilGone([first], 2000);
    assert.deepEqual(await workspace.guardians(), [workspace.guardian()]);
  });

  it('is gone when `down` returns, with its file', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const guardian = workspace.guardian();
    await workspace.must('down');
    assert.deepEqual([isAlive(guardian), await workspace.guardians()], [false, []]);
    assert.equal(existsSync(guardianPath(workspace.stateDir)), false);
  });

  it('is dismissed by a supervisor that a signal asks to end', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const guardian = workspace.guardian();
    signal(supervisor, 'SIGTERM');
    await untilGone([supervisor]);
    assert.deepEqual([isAlive(guardian), workspace.lock], [false, null]);
  });

  it('is shown by `ps`', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    assert.deepEqual((await workspace.status()).supervisor?.guardian, { pid: workspace.guardian().pid });
  });

  it('is next to nothing: under 200 kB, no environment, no folder but /, nothing open but its channel', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const { pid } = workspace.guardian();
    const resident = Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
    assert.ok(resident < 200, `${resident} kB`);
    assert.equal(readFileSync(`/proc/${pid}/environ`, 'latin1').replaceAll('\0', ''), '');
    assert.deepEqual(openDescriptors(pid), ['/dev/null', '/dev/null', '/dev/null', 'socket']);
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  });

  it('that was killed is replaced at once, and the new one knows what to do', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const lost = workspace.guardian();
    signal(lost, 'SIGKILL');
    await replacementOf(workspace, lost.pid);
    assert.equal(workspace.eventsNamed('guardian_lost')[0]?.signal, 'SIGKILL');
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
  });

  it('that was stopped is replaced within seconds, since it could not act', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const stopped = workspace.guardian();
    signal(stopped, 'SIGSTOP');
    await replacementOf(workspace, stopped.pid);
    await untilGone([stopped], 0);
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
  });

  it('that is killed again and again is replaced again and again, more and more slowly', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    for (let round = 0; round < 7; round += 1) {
      const lost = workspace.guardian();
      signal(lost, 'SIGKILL');
      await replacementOf(workspace, lost.pid);
    }
    const delays = workspace.eventsNamed('guardian_lost').map((one) => one.delayMs);
    assert.deepEqual(delays, [0, 0, 0, 0, 0, 1000, 2000]);
  });

  it('killed with its supervisor is started again by whoever comes next, and no other one is left', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const leader = workspace.leader('web');
    await workspace.killAll();
    await workspace.up();
    assert.deepEqual(await workspace.guardians(), [workspace.guardian()]);
    assert.deepEqual(workspace.leader('web'), leader);
  });

  it('did nothing when it was stopped in the moment in which its supervisor was killed', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const [stopped, leader] = [workspace.guardian(), workspace.leader('web')];
    signal(stopped, 'SIGSTOP');
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    await untilGone([stopped]);
    assert.deepEqual(workspace.leader('web'), leader);
    assert.deepEqual(await workspace.guardians(), [workspace.guardian()]);
  });

  it('brings a successor after an unhandled fault as well, and counts it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const trap = workspace.write(
      '../trap.mjs',
      "process.on('SIGUSR2', () => void Promise.reject(new Error('planted fault')));",
    );
    const served = workspace.begin(['serve'], { NODE_OPTIONS: `--import ${trap}` });
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    const [faulty, leader] = [workspace.supervisor(), workspace.leader('web')];
    served.child.kill('SIGUSR2');
    assert.equal((await served.ended).code, 1);
    await workspace.successorOf(faulty);
    assert.deepEqual(workspace.leader('web'), leader);
    assert.equal(accountingOf(workspace).crashes, 1);
  });

  it('counts on from supervisor to supervisor', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    let supervisor = await workspace.up();
    for (let round = 1; round <= 2; round += 1) {
      signal(supervisor, 'SIGKILL');
      supervisor = await workspace.successorOf(supervisor);
      assert.deepEqual([accountingOf(workspace).crashes, accountingOf(workspace).slow.length], [round, round]);
    }
  });

  it('gives up when the budget is spent, says so, and `up` begins anew', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const first = await workspace.up();
    await workspace.must('down');
    // All but one of the losses that an hour allows.
    const slow = Array.from({ length: 9 }, () => Date.now());
    const accounting = { ...emptyAccounting(), slow };
    writeGuardianFile(workspace.stateDir, { guardian: null, supervisor: first, argv: [], accounting });
    const trap = workspace.write(
      '../trap.mjs',
      "if (process.argv.includes('--successor')) { console.error('no start'); process.kill(process.pid, 'SIGKILL'); }",
    );
    const served = workspace.begin(['serve'], { NODE_OPTIONS: `--import ${trap}` });
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    const leader = workspace.leader('web');
    workspace.guardian();
    served.child.kill('SIGKILL');
    const gaveUp = await until('the last word', () => readGuardianFile(workspace.stateDir)?.gaveUp);
    assert.match(gaveUp.text, /^the supervisor was lost 2 times; the last one was ended by SIGKILL\. /);
    assert.deepEqual(await workspace.guardians(), []);
    assert.match(readFileSync(join(logsFolder(workspace.stateDir), 'supervisor.own.log'), 'utf8'), /no start/);
    assert.match((await workspace.run('ps')).stderr, /was lost 2 times/);
    assert.equal(isAlive(leader), true);
    await workspace.up();
    assert.deepEqual(workspace.leader('web'), leader);
    assert.deepEqual([accountingOf(workspace).crashes, accountingOf(workspace).slow], [0, []]);
  });
});

describe('a configuration that is broken when the supervisor is lost', () => {
  afterEach(closeWorkspaces);

  for (const [what, change] of [
    ['broken', (file: string) => writeFileSync(file, '{"services": {')],
    ['gone', (file: string) => rmSync(file)],
  ] as const) {
    it(`(${what}) ends nothing: the successor goes on with the one that was in force`, async () => {
      const workspace = openWorkspace({ services: { web: STEADY } });
      const supervisor = await workspace.up();
      const leader = workspace.leader('web');
      signal(supervisor, 'SIGSTOP');
      change(join(workspace.root, 'coppice.json'));
      signal(supervisor, 'SIGKILL');
      await workspace.successorOf(supervisor);
      assert.deepEqual([workspace.leader('web'), isAlive(leader)], [leader, true]);
      assert.equal((await workspace.service('web')).state, 'ready');
    });
  }

  it('is applied by the successor when it was changed meanwhile', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, old: STEADY } });
    const supervisor = await workspace.up();
    const [web, old] = [workspace.leader('web'), workspace.leader('old')];
    signal(supervisor, 'SIGSTOP');
    workspace.configure({ services: { web: STEADY, fresh: STEADY } });
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    await workspace.untilService('fresh', (one) => one.state === 'ready');
    await untilGone([old]);
    assert.deepEqual(workspace.leader('web'), web);
  });

  it('lets `down` end what runs when nobody supervises any more', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const processes = workspace.processes();
    await workspace.killAll();
    writeFileSync(join(workspace.root, 'coppice.json'), '{');
    await workspace.must('down');
    await untilGone(processes, 0);
  });
});

function accountingOf(workspace: SupervisedWorkspace): { crashes: number; slow: number[] } {
  return readGuardianFile(workspace.stateDir)?.accounting as { crashes: number; slow: number[] };
}

/** What descriptors lead to, without the numbers of sockets. */
function openDescriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]$/, ''));
}
