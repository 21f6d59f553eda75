import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lockPath } from '../../server/store/paths.ts';
import { openRegistry } from '../../server/store/registry.ts';
import { beginSuccessor, killSupervisor, succeed, untilSucceeded } from '../support/successor.ts';
import { closeWorkspaces, DEAF, isAlive, openWorkspace, STEADY, signal, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Ready once the file `go` is there. */
const WAITING = {
  command: ['sh', '-c', 'while [ ! -e go ]; do sleep 0.02; done; echo up; exec sleep 1000'],
  ready: { log: 'up', interval: '20ms' },
};

describe('what was asked of a supervisor that was killed', () => {
  afterEach(closeWorkspaces);

  it('is still waited for: a service starts only when what it depends on is ready, whoever supervises', async () => {
    const workspace = openWorkspace({
      services: { db: WAITING, web: { ...STEADY, dependsOn: { db: 'ready' } } },
    });
    await workspace.run('up', '--detach', '--no-wait');
    await workspace.untilService('web', (one) => one.detail === 'waits for db');
    await succeed(workspace);
    const waiting = await workspace.untilService('web', (one) => one.detail !== null);
    assert.deepEqual([waiting.state, waiting.detail, waiting.incarnation], ['stopped', 'waits for db', 0]);
    workspace.write('go', '');
    await workspace.untilService('web', (one) => one.state === 'ready');
    const order = workspace.events.flatMap((one) =>
      one.event === 'service_ready' || one.event === 'service_spawned' ? [`${one.name} ${one.event}`] : [],
    );
    assert.deepEqual(order, ['db service_spawned', 'db service_ready', 'web service_spawned', 'web service_ready']);
  });

  it('holds dependencies for what was to run and of which nothing is left', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, dependsOn: { db: 'ready' } }, db: WAITING } });
    workspace.write('go', '');
    await workspace.up();
    const processes = workspace.processes();
    const lost = await killSupervisor(workspace);
    for (const one of processes) signal(one, 'SIGKILL');
    await untilGone(processes);
    // As after a launch that was never entered.
    const { registry } = openRegistry(workspace.stateDir, { supervisor: { pid: 1, startTime: '0' } });
    for (const { key } of registry.records()) registry.unregister(key);
    registry.close();
    beginSuccessor(workspace);
    await untilSucceeded(workspace, lost);
    await workspace.untilService('web', (one) => one.state === 'ready');
    const events = workspace.events.slice(workspace.events.findLastIndex((one) => one.event === 'supervisor_started'));
    const order = events.flatMap((one) =>
      one.event === 'service_ready' || one.event === 'service_spawned' ? [`${one.name} ${one.event}`] : [],
    );
    assert.deepEqual(order, ['db service_spawned', 'db service_ready', 'web service_spawned', 'web service_ready']);
  });

  it('includes services that are added later, when everything was asked for', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await succeed(workspace);
    workspace.configure({ services: { web: STEADY, added: STEADY } });
    const ready = async (): Promise<boolean> =>
      (await workspace.status()).services.some((one) => one.name === 'added' && one.state === 'ready');
    await until('the added service', ready);
  });

  it('includes the rest of a restart in order: what was stopped comes back, what was not is restarted', async () => {
    const workspace = openWorkspace({
      services: {
        db: STEADY,
        web: { ...DEAF, stopTimeout: '2s', dependsOn: ['db'] },
        front: { ...STEADY, dependsOn: ['web'] },
      },
    });
    await workspace.up();
    const before = ['db', 'web', 'front'].map((name) => workspace.leader(name));
    const restart = workspace.begin(['restart', 'db', 'web', 'front']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    // It would ask the successor for the same again.
    restart.child.kill('SIGKILL');
    await succeed(workspace);
    for (const name of ['db', 'web', 'front'])
      await workspace.untilService(name, (one) => one.state === 'ready' && one.incarnation === 2);
    assert.deepEqual(before.map(isAlive), [false, false, false]);
    // What `web` waits with comes and goes.
    assert.equal(workspace.marked.filter(({ command }) => !command.startsWith('sleep 0.2')).length, 3);
  });

  it('includes the rest of a stop in order', async () => {
    const workspace = openWorkspace({
      services: { db: STEADY, web: { ...DEAF, stopTimeout: '2s', dependsOn: ['db'] }, other: STEADY },
    });
    await workspace.up();
    const [db, other] = [workspace.leader('db'), workspace.leader('other')];
    const stop = workspace.begin(['stop', 'db', 'web']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    stop.child.kill('SIGKILL');
    await succeed(workspace);
    await untilGone([db]);
    await workspace.untilService('db', (one) => one.state === 'stopped');
    assert.ok(isAlive(other));
  });

  it('includes a `down` that was under way: the successor finishes it, releases the workspace and ends', async () => {
    const workspace = openWorkspace({ services: { web: { ...DEAF, stopTimeout: '2s' }, db: { ...STEADY } } });
    await workspace.up();
    const processes = workspace.processes();
    const down = workspace.begin(['down']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    down.child.kill('SIGKILL');
    await killSupervisor(workspace);
    const successor = beginSuccessor(workspace);
    await untilGone(processes);
    await until('a released workspace', () => !existsSync(lockPath(workspace.root)));
    assert.equal(workspace.eventsNamed('supervisor_stopped').at(-1)?.why, 'asked');
    assert.deepEqual(workspace.records, []);
    await successor.ended;
  });

  it('is over once somebody asks anew: `up` after a `down` that was cut short ends the old and starts the new', async () => {
    const workspace = openWorkspace({ services: { web: { ...DEAF, stopTimeout: '1s' }, db: STEADY } });
    await workspace.up();
    const before = workspace.processes();
    const down = workspace.begin(['down']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    down.child.kill('SIGKILL');
    await killSupervisor(workspace);
    await workspace.up('db');
    await untilGone(before);
    assert.deepEqual(
      (await workspace.status()).services.map(({ name, state }) => [name, state]),
      [
        ['web', 'stopped'],
        ['db', 'ready'],
      ],
    );
  });
});
