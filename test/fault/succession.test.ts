import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcessTable } from '../../server/process/table.ts';
import { lockPath, logsFolder } from '../../server/store/paths.ts';
import { readLockCopy } from '../../server/store/stateDirectory.ts';
import { beginSuccessor, killSupervisor, untilSucceeded } from '../support/successor.ts';
import { closeWorkspaces, isAlive, openWorkspace, STEADY, signal, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('a successor', () => {
  afterEach(closeWorkspaces);

  it('that came while who it follows was not quite gone left the workspace to nobody', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    const guardian = workspace.guardian();
    signal(supervisor, 'SIGSTOP');
    signal(guardian, 'SIGKILL');
    await untilGone([guardian]);
    const successor = beginSuccessor(workspace);
    // It has one from just before its claim on.
    await until('its spawner', () =>
      readProcessTable()
        .childrenOf(successor.child.pid ?? 0)
        .some(({ name }) => name === 'coppice-spawner'),
    );
    // Its look at the lock leaves no trace; a later one makes this test weaker, and never wrong.
    await new Promise((resolve) => setTimeout(resolve, 200));
    signal(supervisor, 'SIGKILL');
    await untilSucceeded(workspace, supervisor);
    assert.deepEqual(workspace.leader('web'), leader);
  });

  it('that came after all was stopped and released stayed, with nothing to do', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.must('down');
    const end = await beginSuccessor(workspace).ended;
    assert.deepEqual([end.code, workspace.lock, await workspace.guardians()], [0, null, []]);
  });

  it('comes all the same where the lock was removed with the supervisor lost', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const leader = workspace.leader('web');
    const lost = await killSupervisor(workspace);
    rmSync(join(workspace.root, '.coppice'), { recursive: true });
    beginSuccessor(workspace);
    await untilSucceeded(workspace, lost);
    assert.deepEqual(workspace.leader('web'), leader);
  });

  it('had no room for a guardian, sent the old one away, and was followed by nobody', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const room = join(workspace.root, '../room');
    const trap = workspace.write(
      '../trap.cjs',
      `const processes = require('node:child_process');
      const { spawn } = processes;
      processes.spawn = (program, words, options) => {
        const full = process.argv.includes('--successor') && words.some((word) => /guardian/.test(word));
        if (full && !require('node:fs').existsSync(${JSON.stringify(room)})) throw new Error('EAGAIN');
        return spawn(program, words, options);
      };`,
    );
    const served = workspace.begin(['serve'], { NODE_OPTIONS: `--require ${trap}` });
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    const [leader, guardian, first] = [workspace.leader('web'), workspace.guardian(), workspace.supervisor()];
    served.child.kill('SIGKILL');
    const second = await workspace.successorOf(first);
    await until('the word of it', () =>
      workspace.eventsNamed('health_warn').some((one) => one.reason === 'no_guardian'),
    );
    assert.equal(isAlive(guardian), true);
    signal(second, 'SIGKILL');
    await workspace.successorOf(second);
    assert.deepEqual([isAlive(guardian), workspace.leader('web')], [true, leader]);
    writeFileSync(room, '');
    await untilGone([guardian], 15_000);
    assert.deepEqual(await workspace.guardians(), [workspace.guardian()]);
  });
});

describe('a workspace that vanishes with its supervisor', () => {
  afterEach(closeWorkspaces);

  for (const [what, change] of [
    ['removed', (root: string) => rmSync(root, { recursive: true })],
    [
      'in the place of which lies another',
      (root: string) => {
        renameSync(root, `${root}.moved`);
        mkdirSync(root);
      },
    ],
    [
      'in the place of which lies a file',
      (root: string) => {
        renameSync(root, `${root}.moved`);
        writeFileSync(root, '');
      },
    ],
  ] as const) {
    it(`(${what}) left its trees running, and a guardian that tried in vain`, async () => {
      const bye = ['sh', '-c', 'trap "echo bye; exit 7" USR1; echo up; while :; do sleep 0.05; done'];
      const workspace = openWorkspace({
        services: { web: STEADY, other: { ...STEADY, command: bye, stopSignal: 'SIGUSR1' } },
      });
      const supervisor = await workspace.up();
      const [processes, guardian, lock] = [workspace.processes(), workspace.guardian(), lockPath(workspace.root)];
      signal(supervisor, 'SIGSTOP');
      change(workspace.root);
      try {
        signal(supervisor, 'SIGKILL');
        await untilGone([supervisor, guardian, ...processes]);
        assert.deepEqual(await workspace.guardians(), []);
        assert.deepEqual([workspace.records, readLockCopy(workspace.stateDir), existsSync(lock)], [[], null, false]);
        const stopped = workspace.eventsNamed('supervisor_stopped');
        assert.deepEqual(
          stopped.map(({ why, code, trees }) => [why, code, trees]),
          [['workspace_gone', 0, 2]],
        );
        assert.match(readFileSync(join(logsFolder(workspace.stateDir), 'other.log'), 'utf8'), /bye/);
      } finally {
        rmSync(workspace.root, { recursive: true, force: true });
      }
    });
  }
});
