import assert from 'node:assert/strict';
import type { WorkspaceHost } from '../../../server/service/host.ts';
import type { Owner } from '../../../server/store/types.ts';
import { Supervisor } from '../../../server/supervisor.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';
import { until } from '../../support/until.ts';

const OWNER: Owner = { kind: 'configuration' };
const SLEEP = { command: 'sleep 1000' };
/** Needs a moment to end, so that something can happen meanwhile. */
const SLOW_TO_END = { command: ['sh', '-c', 'trap "sleep 0.2; exit 0" TERM; while :; do sleep 0.05; done'] };

describe('the supervisor', () => {
  let unit: UnitHost;
  let supervisor: Supervisor;
  afterEach(async () => {
    await supervisor.drain();
    unit.close();
  });
  after(removeTemporaryFolders);

  function supervise(
    config: { services?: object; tasks?: object },
    overrides: Partial<WorkspaceHost> = {},
  ): Supervisor {
    unit = unitHost('supervisor', overrides);
    supervisor = new Supervisor(unit.host, configOf(unit.host.root, config), () => {});
    return supervisor;
  }
  const service = (name: string) => supervisor.services.get(name)!;
  const isReady = (name: string) => service(name).until(() => service(name).state === 'ready');
  const events = (event: string) => unit.journal.filter((line) => line.event === event).map((line) => line.name);
  const exec = (...argv: [string, ...string[]]) =>
    supervisor.exec({ argv, cwd: unit.host.root, env: { PATH: process.env.PATH }, owner: OWNER, attached: false });

  it('starts a service again that is asked for while it is being stopped', async () => {
    supervise({ services: { web: SLOW_TO_END } });
    supervisor.up(['web'], OWNER);
    await isReady('web');
    const stopped = supervisor.stop(['web']);
    await service('web').until(() => service('web').state === 'stopping');
    supervisor.up(['web'], OWNER);
    const [outcome] = await stopped;
    await isReady('web');
    assert.deepEqual([outcome?.reason, service('web').status.incarnation], ['stopped', 2]);
  });

  it('runs a task once for all who ask while it is under way', async () => {
    supervise({
      tasks: { build: { command: 'sleep 0.3' } },
      services: { preview: { ...SLEEP, dependsOn: { build: 'succeeded' } } },
    });
    for (let client = 0; client < 50; client += 1) supervisor.up([], OWNER);
    await isReady('preview');
    assert.deepEqual(events('task_started'), ['build']);
  });

  it('says of a task that is under way that it runs already', async () => {
    supervise({ tasks: { build: SLEEP } });
    const reasons = [supervisor.up(['build'], OWNER), supervisor.up(['build'], OWNER)].map(([one]) => one?.reason);
    assert.deepEqual(reasons, ['started', 'already_running']);
  });

  it('does not build anew what only a running service once needed', async () => {
    supervise({
      tasks: { build: { command: 'true' } },
      services: {
        preview: { ...SLEEP, dependsOn: { build: 'succeeded' } },
        other: { ...SLEEP, dependsOn: ['preview'] },
      },
    });
    supervisor.up(['preview'], OWNER);
    await isReady('preview');
    supervisor.up(['other'], OWNER);
    await isReady('other');
    assert.deepEqual(events('task_started'), ['build']);
  });

  it('runs a task when its restart is asked for', async () => {
    supervise({ tasks: { build: { command: 'true' } } });
    const [outcome] = await supervisor.restart(['build'], OWNER);
    await until('the task', () => events('task_finished').length === 1);
    assert.equal(outcome?.reason, 'started');
  });

  it('restarts what depends on one another in the order of stops and starts', async () => {
    supervise({ services: { api: SLEEP, web: { ...SLEEP, dependsOn: { api: 'ready' } } } });
    supervisor.up([], OWNER);
    await isReady('web');
    unit.journal.length = 0;
    const outcomes = await supervisor.restart(['api', 'web'], OWNER);
    await isReady('web');
    const order = unit.journal.filter(({ event }) => /^service_(exited|spawned|ready)$/.test(event));
    assert.deepEqual(
      [outcomes.map((one) => one.reason), order.map(({ event, name }) => `${String(name)} ${event.slice(8)}`)],
      [
        ['restarted', 'restarted'],
        ['web exited', 'api exited', 'api spawned', 'api ready', 'web spawned', 'web ready'],
      ],
    );
  });

  it('says that a service failed which was to be restarted and whose budget is spent', async () => {
    const gone = { command: '/nowhere/at-all', restart: { crashes: { count: 1 } } };
    supervise({ services: { web: { ...SLEEP, restart: gone.restart } } });
    supervisor.up(['web'], OWNER);
    await isReady('web');
    service('web').retune(configOf(unit.host.root, { services: { web: gone } }).services.get('web')!);
    const [outcome] = await supervisor.restart(['web'], OWNER);
    assert.deepEqual([outcome?.ok, outcome?.reason], [false, 'failed']);
  });

  it('waits for a dependency of kind `started` that is only being ended', async () => {
    supervise({ services: { api: SLOW_TO_END, web: { ...SLEEP, dependsOn: { api: 'started' } } } });
    supervisor.up(['api'], OWNER);
    await isReady('api');
    const restarted = supervisor.restart(['api'], OWNER);
    supervisor.up(['web'], OWNER);
    const before = service('web').state;
    await restarted;
    await isReady('web');
    assert.equal(before, 'stopped');
  });

  it('ends a command that was being launched when the drain began (R23)', async () => {
    supervise({});
    const started = exec('sleep', '1000');
    const trees = await supervisor.drain();
    const command = await started;
    assert.deepEqual([command.ok, trees.length, unit.host.registry.records()], [true, 1, []]);
  });

  it('does not take a reload during the drain for a reason to start anything', async () => {
    supervise({ services: { web: SLOW_TO_END } });
    supervisor.up([], OWNER);
    await isReady('web');
    const drained = supervisor.drain();
    const config = configOf(unit.host.root, { services: { web: { ...SLOW_TO_END, env: { A: '1' } } } });
    await supervisor.apply(config, { added: [], removed: [], changed: ['web'], retuned: [] });
    await drained;
    assert.deepEqual([service('web').state, service('web').status.incarnation], ['stopped', 1]);
  });

  it('stops everything else when the stop of one breaks, and only then says so (R17, R27)', async () => {
    supervise({ services: { api: SLEEP, web: { ...SLEEP, dependsOn: ['api'] }, other: SLEEP } });
    supervisor.up([], OWNER);
    for (const name of ['api', 'web', 'other']) await isReady(name);
    const stopWeb = service('web').stop;
    service('web').stop = () => Promise.reject(new Error('a bug'));
    await assert.rejects(supervisor.drain(), /a bug/);
    const states = ['api', 'other'].map((name) => service(name).state);
    service('web').stop = stopWeb;
    assert.deepEqual(states, ['stopped', 'stopped']);
  });

  it('knows the result of a command that ended long ago', async () => {
    supervise({});
    const first = await exec('sh', '-c', 'exit 7');
    assert.ok(first.ok);
    const { status } = await first.command.ended;
    for (let index = 0; index < 102; index += 1) await ((await exec('true')) as typeof first).command.ended;
    await until('the last to be entered', () => !supervisor.commands.busy);
    const known = supervisor.commands.find(first.command.id);
    assert.deepEqual(
      [await known?.ended, known?.pid],
      [{ status, proof: (await first.command.ended).proof }, first.command.pid],
    );
  });

  it('starts a command once for all who ask for it by one id', async () => {
    supervise({});
    const request = {
      argv: ['sleep', '1000'],
      cwd: unit.host.root,
      env: { PATH: process.env.PATH },
      owner: OWNER,
      attached: false,
    } as const;
    const asked = Array.from({ length: 20 }, () => supervisor.exec(request, 'one'));
    const pids = new Set((await Promise.all(asked)).map((one) => one.ok && one.command.pid));
    await supervisor.commands.stop(() => true);
    const again = await supervisor.exec(request, 'one');
    assert.ok(again.ok);
    pids.add(again.command.pid);
    assert.deepEqual([pids.size, (await again.command.ended).status.signal], [1, 'SIGTERM']);
  });

  it('lets a command that could not be started be asked for again', async () => {
    supervise({});
    const request = { cwd: unit.host.root, env: { PATH: process.env.PATH }, owner: OWNER, attached: false };
    const failed = await supervisor.exec({ ...request, argv: ['no-such-program'] }, 'one');
    const started = await supervisor.exec({ ...request, argv: ['true'] }, 'one');
    assert.deepEqual([failed.ok, started.ok && (await started.command.ended).status.code], [false, 0]);
  });

  it('holds nothing more after a hundred restarts than after one', async () => {
    supervise({ services: { web: { command: 'true', restart: { policy: 'always', clean: { count: 1000 } } } } });
    supervisor.up([], OWNER);
    await until('a hundred restarts', () => service('web').status.restarts >= 100, { timeoutMs: 30_000 });
    await supervisor.stop([]);
    assert.deepEqual(
      [unit.host.registry.records(), unit.host.ports.reserved.size, process.listenerCount('exit') < 20],
      [[], 0, true],
    );
  }).timeout(40_000);
});
