import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../server/api/client.ts';
import { lockLocator } from '../../server/api/locate.ts';
import { makeResilient, type ResilientClient } from '../../server/api/resilient.ts';
import { beginSuccessor, killSupervisor, succeed } from '../support/successor.ts';
import {
  closeWorkspaces,
  DEAF,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';
import type { RunningCommand } from '../support/workspace.ts';

/** Ready once the file `go` is there. */
const LATE = {
  command: ['sh', '-c', 'while [ ! -e go ]; do sleep 0.02; done; echo up; exec sleep 1000'],
  ready: { log: 'up', interval: '20ms' },
};

/** How many are connected to the supervisor: the kernel lists each accepted socket under the endpoint's path. */
function connections(workspace: SupervisedWorkspace): number {
  const path = workspace.lock?.endpoint ?? '';
  const isConnected = (line: string): boolean => line.endsWith(` ${path}`) && line.split(/\s+/)[5] === '03';
  return readFileSync('/proc/net/unix', 'utf8').split('\n').filter(isConnected).length;
}

/** Starts a command, and resolves when it is connected to the supervisor as the only one. */
async function connected(workspace: SupervisedWorkspace, ...args: string[]): Promise<RunningCommand> {
  await until('the departure of others', () => connections(workspace) === 0);
  const command = workspace.begin(args);
  await until('the connection', () => connections(workspace) === 1);
  return command;
}

async function fifty(workspace: SupervisedWorkspace): Promise<{ clients: ResilientClient[]; close: () => void }> {
  const hello = { kind: 'other', pid: process.pid, version: 'test', session: null } as const;
  const clients = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const connected = await connect(workspace.lock?.endpoint ?? '', hello);
      assert.ok(connected.ok);
      const locate = lockLocator(workspace.root, workspace.stateDir);
      return makeResilient(connected.client, { hello, locate });
    }),
  );
  return {
    clients,
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

describe('a client whose supervisor is killed', () => {
  afterEach(closeWorkspaces);

  it('up in the foreground rides over three losses with a calm line each, and still ends everything on Ctrl-C', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const up = workspace.begin(['up']);
    for (const name of ['web', 'other']) await workspace.untilService(name, (one) => one.state === 'ready');
    const before = workspace.processes();
    for (let round = 0; round < 3; round += 1) {
      const { pid } = await succeed(workspace);
      await until('the line', () => up.stderr.includes(`The supervisor was lost and is back (pid ${pid}).`));
    }
    assert.deepEqual(workspace.processes(), before);
    up.child.kill('SIGINT');
    const end = await up.ended;
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stdout, /Nothing is left: 2 trees, \d+ processes confirmed gone\.\n$/);
    assert.equal(end.stderr.match(/was lost/g)?.length, 3, end.stderr);
    await untilGone(before);
  });

  it('up in the foreground shows what happens after the loss as before', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const up = workspace.begin(['up']);
    const before = await workspace.untilService('web', (one) => one.state === 'ready');
    await succeed(workspace);
    await workspace.must('restart', 'web');
    const after = await workspace.untilService('web', (one) => one.state === 'ready' && one.pid !== before.pid);
    await until('the line', () => up.stderr.includes(`pid ${after.pid}`));
    up.child.kill('SIGINT');
    assert.equal((await up.ended).code, 130);
  });

  it('up in the foreground that lost it is ended by `down` as ever', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    const { pid } = await succeed(workspace);
    await until('the line', () => up.stderr.includes(`is back (pid ${pid})`));
    await workspace.must('down');
    const end = await up.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stderr, /taken down by another client|runs any more/);
  });

  it('up --detach that waits for readiness goes on waiting, and succeeds', async () => {
    const workspace = openWorkspace({ services: { web: LATE } });
    const up = workspace.begin(['up', '--detach']);
    await workspace.untilService('web', (one) => one.state === 'starting');
    await succeed(workspace);
    workspace.write('go', '');
    const end = await up.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /web +● ready/);
    assert.equal(workspace.eventsNamed('service_spawned').length, 1);
  });

  it('wait goes on waiting, and succeeds', async () => {
    const workspace = openWorkspace({ services: { web: LATE } });
    await workspace.must('up', '--detach', '--no-wait');
    workspace.supervisor();
    const wait = await connected(workspace, 'wait', 'web');
    await succeed(workspace);
    workspace.write('go', '');
    const end = await wait.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /web: ● ready/);
    assert.equal(end.stderr, '');
  });

  it('wait ends in its own time, the gap included', async () => {
    const workspace = openWorkspace({ services: { web: LATE } });
    await workspace.must('up', '--detach', '--no-wait');
    workspace.supervisor();
    const wait = await connected(workspace, 'wait', 'web', '--timeout', '3s');
    const began = performance.now();
    await succeed(workspace);
    const end = await wait.ended;
    assert.equal(end.code, 1, end.stderr);
    assert.match(end.stderr, /not ready, after \d+ ms/);
    assert.ok(performance.now() - began < 8_000);
  });

  it('stop in the middle of a stop is finished by the successor, with the proof', async () => {
    const workspace = openWorkspace({ services: { web: { ...DEAF, stopTimeout: '1s' } } });
    await workspace.up();
    const leader = workspace.leader('web');
    const stop = workspace.begin(['stop', 'web']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    await succeed(workspace);
    const end = await stop.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(
      end.stdout,
      /^web is stopped, and nothing of it is left\n(.*\n)*Nothing is left: 1 tree, [1-9]\d* process/,
    );
    await untilGone([leader]);
    assert.equal((await workspace.service('web')).state, 'stopped');
  });

  it('down in the middle of a drain is finished, with the proof of every tree, and leaves no supervisor', async () => {
    const workspace = openWorkspace({ services: { web: { ...DEAF, stopTimeout: '1s' }, quick: STEADY } });
    await workspace.up();
    const trees = workspace.processes();
    const down = workspace.begin(['down']);
    await until('the first tree reaped', () => workspace.eventsNamed('tree_reaped').length === 1);
    const lost = workspace.supervisor();
    signal(lost, 'SIGKILL');
    const end = await down.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /web +[1-9]\d* process/);
    assert.match(end.stdout, /quick +[1-9]\d* process/);
    assert.match(end.stdout, /Nothing is left: 2 trees, \d+ processes confirmed gone\.\n$/);
    await untilGone([...trees, lost]);
    await until('the lock released', () => workspace.lock === null);
  });

  it('restart in the middle of its stop gives one new incarnation, not two', async () => {
    const workspace = openWorkspace({ services: { web: { ...DEAF, stopTimeout: '1s' } } });
    await workspace.up();
    const restart = workspace.begin(['restart', 'web']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    await succeed(workspace);
    const end = await restart.ended;
    assert.equal(end.code, 0, end.stderr);
    await workspace.untilService('web', (one) => one.state === 'ready');
    assert.equal((await workspace.service('web')).incarnation, 2);
    assert.equal(workspace.eventsNamed('service_spawned').length, 2);
  });

  it('Ctrl-C in the gap stops everything once the successor is there, with the proof', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    await until('the view', () => up.stderr.includes('web: ● ready'));
    const trees = workspace.processes();
    await killSupervisor(workspace);
    up.child.kill('SIGINT');
    await until('the interrupt to be heard', () => up.stderr.includes('Stopping everything'));
    beginSuccessor(workspace);
    const end = await up.ended;
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stdout, /Nothing is left: 1 tree, \d+ process(es)? confirmed gone\.\n$/);
    await untilGone(trees);
  });

  it('Ctrl-C where no successor comes starts one for it, and proves the end', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    await until('the view', () => up.stderr.includes('web: ● ready'));
    const trees = workspace.processes();
    await killSupervisor(workspace);
    up.child.kill('SIGINT');
    const end = await up.ended;
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stdout, /Nothing is left: 1 tree, \d+ process(es)? confirmed gone\.\n$/);
    await untilGone(trees);
  });

  it('up in the foreground says what to do when its guardian has given up and no successor comes', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    await until('the view', () => up.stderr.includes('web: ● ready'));
    const leader = workspace.leader('web');
    const guardianFile = join(workspace.stateDir, 'guardian.json');
    const file = JSON.parse(readFileSync(guardianFile, 'utf8')) as object;
    const { pid } = await killSupervisor(workspace);
    const gaveUp = { at: Date.now(), losses: 8, text: 'it was lost 8 times in a row' };
    writeFileSync(guardianFile, JSON.stringify({ ...file, gaveUp }));
    const end = await up.ended;
    assert.equal(end.code, 1);
    assert.match(end.stderr, new RegExp(`\\(pid ${pid}\\) was lost`));
    assert.match(end.stderr, /it was lost 8 times in a row/);
    assert.ok(isAlive(leader));
    assert.match((await workspace.must('down')).stdout, /Nothing is left: 1 tree/);
  });

  it('wait that begins in the gap waits for the successor first', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    signal(workspace.supervisor(), 'SIGKILL');
    const end = await workspace.run('wait', 'web');
    assert.equal(end.code, 0, end.stderr);
  });

  it('down in the gap ends what the successor would have brought back', async () => {
    const slow = { command: ['sh', '-c', 'exit 1'], restart: { backoff: { initial: '30s' } } };
    const workspace = openWorkspace({ services: { web: slow } });
    await workspace.must('up', '--detach', '--no-wait');
    await workspace.untilService('web', (one) => one.state === 'backoff');
    signal(workspace.supervisor(), 'SIGKILL');
    const end = await workspace.run('down');
    assert.equal(end.code, 0, end.stderr);
    assert.equal(workspace.lock, null);
    assert.deepEqual(await workspace.guardians(), []);
  });

  it('up --detach in the gap joins whoever takes over, beside the successor that comes at the same time', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const before = workspace.leader('web');
    for (let round = 0; round < 3; round += 1) {
      signal(workspace.supervisor(), 'SIGKILL');
      const ends = await Promise.all([1, 2].map(() => workspace.run('up', '--detach')));
      assert.deepEqual(
        ends.map((one) => [one.code, one.stderr.includes('coppice:')]),
        [
          [0, false],
          [0, false],
        ],
      );
      workspace.supervisor();
    }
    assert.deepEqual(workspace.leader('web'), before);
  });

  it('fifty clients at once are all answered by the successor', async () => {
    const workspace = openWorkspace({ services: { web: LATE } });
    await workspace.must('up', '--detach', '--no-wait');
    const { clients, close } = await fifty(workspace);
    const answers = clients.map((client, index) =>
      index % 2 === 0
        ? client.request('wait', { name: 'web', for: 'ready', timeoutMs: null }, { timeoutMs: null })
        : client.request('subscribe', {}).then(() => client.request('status', {})),
    );
    await succeed(workspace);
    workspace.write('go', '');
    for (const answer of await Promise.all(answers)) assert.ok(answer.ok, JSON.stringify(answer));
    assert.deepEqual(new Set(clients.map((one) => one.hello.pid)), new Set([workspace.supervisor().pid]));
    close();
  });

  it('ps answers from the files in two seconds when the supervisor is stopped, with what to do', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    signal(supervisor, 'SIGSTOP');
    const began = performance.now();
    const end = await workspace.run('ps', '--json');
    assert.ok(performance.now() - began < 4_000, `${performance.now() - began} ms`);
    assert.equal(end.code, 2);
    assert.match(end.stderr, new RegExp(`pid ${supervisor.pid} .* does not answer .*stopped or stuck`));
    assert.match(end.stderr, /coppice doctor/);
    const status = JSON.parse(end.stdout);
    assert.equal(status.supervisor.pid, supervisor.pid);
    assert.deepEqual([status.services[0].state, status.services[0].pid], ['ready', leader.pid]);
    signal(supervisor, 'SIGCONT');
    assert.equal((await workspace.run('ps')).code, 0);
  });
});
