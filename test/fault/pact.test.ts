import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExitRecord } from '../../server/process/exitRecord.ts';
import { identify } from '../../server/process/identity.ts';
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

/** A tree with an escapee that is deaf to SIGTERM and has left the group and the session. */
const ESCAPING = {
  command: [
    'sh',
    '-c',
    '(setsid sh -c \'trap "" TERM HUP; echo $$ > escaped; exec sleep 1000\' &); while [ ! -s escaped ]; do sleep 0.02; done; echo up; exec sleep 1000',
  ],
  ready: { log: 'up', interval: '20ms' },
  stopTimeout: '300ms',
};

describe('onSupervisorLoss: stop', () => {
  afterEach(closeWorkspaces);

  const record = (workspace: SupervisedWorkspace, name: string) =>
    workspace.records.find((one) => one.name === name) ?? assert.fail(`${name} is not on record`);

  it('ends a tree although supervisor and guardian were both killed, and leaves the others', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, onSupervisorLoss: 'stop' }, stays: STEADY } });
    await workspace.up();
    const [web, stays] = [workspace.leader('web'), workspace.leader('stays')];
    const { exitRecordPath, tree } = record(workspace, 'web');
    await workspace.killAll();
    await untilGone([web]);
    assert.equal(isAlive(stays), true);
    const exit = readExitRecord(exitRecordPath);
    assert.ok(exit !== null && exit !== 'corrupt');
    assert.deepEqual([exit.pid, exit.code, exit.signal, exit.pact], [tree.leader.pid, null, 'SIGTERM', true]);
  });

  it('ends what is deaf and what has escaped as well, once its stopTimeout is over', async () => {
    const workspace = openWorkspace({
      services: {
        deaf: { ...DEAF, onSupervisorLoss: 'stop', stopTimeout: '300ms' },
        escaping: { ...ESCAPING, onSupervisorLoss: 'stop' },
      },
    });
    await workspace.up();
    const escaped = identify(Number(readFileSync(join(workspace.root, 'escaped'), 'utf8')));
    assert.ok(escaped !== null);
    const processes = [...workspace.processes(), escaped];
    await workspace.killAll();
    await untilGone(processes, 5000);
    assert.deepEqual(workspace.marked, []);
  });

  it('ends a tree in the time that its stopSignal takes when it is heard', async () => {
    const workspace = openWorkspace({
      services: {
        web: {
          command: ['sh', '-c', 'trap "echo bye; exit 7" USR1; echo up; while :; do sleep 0.05; done'],
          ready: { log: 'up', interval: '20ms' },
          stopSignal: 'SIGUSR1',
          stopTimeout: '30s',
          onSupervisorLoss: 'stop',
        },
      },
    });
    await workspace.up();
    const leader = workspace.leader('web');
    const { exitRecordPath } = record(workspace, 'web');
    await workspace.killAll();
    await untilGone([leader], 3000);
    const exit = readExitRecord(exitRecordPath);
    assert.ok(exit !== null && exit !== 'corrupt');
    assert.deepEqual([exit.code, exit.pact], [7, true]);
  });

  it('is no crash to the successor, and the service stays stopped', async () => {
    const workspace = openWorkspace({
      services: { web: { ...STEADY, onSupervisorLoss: 'stop', restart: 'always' }, stays: STEADY },
    });
    const supervisor = await workspace.up();
    const [web, stays] = [workspace.leader('web'), workspace.leader('stays')];
    await workspace.killAll();
    await untilGone([web]);
    await workspace.up('stays');
    const service = await workspace.service('web');
    assert.deepEqual([service.state, service.crashes, service.pid], ['stopped', 0, null]);
    assert.deepEqual(workspace.leader('stays'), stays);
    assert.equal(isAlive(supervisor), false);
    assert.equal(workspace.eventsNamed('service_spawned').length, 2);
  });

  it('holds under a successor that a guardian started, for what that starts', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, onSupervisorLoss: 'stop' } } });
    const first = await workspace.up();
    signal(first, 'SIGKILL');
    await workspace.successorOf(first);
    await workspace.untilService('web', (one) => one.state === 'stopped');
    await workspace.up('web');
    const web = workspace.leader('web');
    await workspace.killAll();
    await untilGone([web]);
  });

  it('asks nothing of a supervisor that is stopped: it is not lost', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, onSupervisorLoss: 'stop' } } });
    const supervisor = await workspace.up();
    const web = workspace.leader('web');
    signal(supervisor, 'SIGSTOP');
    signal(workspace.guardian(), 'SIGKILL');
    // That nothing happens has no event: long enough for a keeper that took this for a loss.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(isAlive(web), true);
    signal(supervisor, 'SIGCONT');
    assert.equal((await workspace.service('web')).state, 'ready');
  });

  it('holds for a task as well', async () => {
    const workspace = openWorkspace({
      tasks: { job: { command: ['sh', '-c', 'exec sleep 1000'], onSupervisorLoss: 'stop' } },
    });
    await workspace.run('up', '--detach', '--no-wait', 'job');
    await until('the task', () => workspace.records.length > 0);
    const leader = workspace.leader('job');
    await workspace.killAll();
    await untilGone([leader]);
  });
});
