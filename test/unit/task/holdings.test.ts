import assert from 'node:assert/strict';
import { liveness } from '../../../server/process/identity.ts';
import { Intent } from '../../../server/service/intent.ts';
import { CONFIGURATION, ownerName } from '../../../server/service/owners.ts';
import { readRegistry } from '../../../server/store/registry.ts';
import type { Owner, SessionOwner } from '../../../server/store/types.ts';
import { Supervisor } from '../../../server/supervisor.ts';
import type { ReapedSession } from '../../../server/task/holdings.ts';
import { readRuns } from '../../../server/task/runFile.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';
import { until } from '../../support/until.ts';

const of = (session: string): SessionOwner => ({ kind: 'session', session, holder: 'named', process: null });
const A = of('a');
const B = of('b');
const SLEEP = { command: ['sh', '-c', 'echo up; exec sleep 1000'], ready: { log: 'up', interval: '20ms' } };
const NEVER_READY = { ...SLEEP, ready: { log: 'never' } };
const TASK = { command: 'sleep 1000' };

describe('what sessions hold', () => {
  let unit: UnitHost;
  let supervisor: Supervisor;
  afterEach(async () => {
    await supervisor.drain();
    unit.close();
  });
  after(removeTemporaryFolders);

  function supervise(config: { services?: object; tasks?: object }): void {
    unit = unitHost('holdings');
    supervisor = new Supervisor(unit.host, configOf(unit.host.root, config), () => {});
  }
  const service = (name: string) => supervisor.services.get(name)!;
  const isReady = (name: string) => service(name).until(() => service(name).state === 'ready');
  const pids = (...names: string[]) => names.map((name) => service(name).status.pid);
  const owners = (...names: string[]) => names.map((name) => service(name).status.owner);
  const reap = (...sessions: string[]): Promise<ReapedSession[]> => supervisor.holdings.reap(new Set(sessions));
  const said = (reaped: readonly ReapedSession[]) =>
    reaped.map(({ session, trees, handedOver }) => ({
      session,
      stopped: trees.map((tree) => tree.name),
      kept: handedOver.map(({ name, to }) => `${name} to ${ownerName(to)}`),
    }));
  const underWay = (task: string) => supervisor.runs.underWay(task);

  it('ends what a session started with it, proven, and nothing of another (R99)', async () => {
    supervise({ services: { web: SLEEP, api: SLEEP } });
    supervisor.up(['web'], A);
    supervisor.up(['api'], B);
    await Promise.all([isReady('web'), isReady('api')]);
    const before = pids('api');
    const [reaped] = await reap('a');
    assert.deepEqual(
      [reaped?.trees.map(({ name, proof }) => [name, proof.confirmed.length, proof.survivors]), pids('web', 'api')],
      [[['web', 1, []]], [null, ...before]],
    );
  });

  it('keeps a service that a second session asked for, under the same pid, until that one is over too', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up(['web'], A);
    await isReady('web');
    const [pid] = pids('web');
    supervisor.up(['web'], B);
    assert.deepEqual(said(await reap('a')), [{ session: 'a', stopped: [], kept: ['web to b'] }]);
    assert.deepEqual([pids('web'), owners('web')], [[pid], ['b']]);
    assert.deepEqual(said(await reap('b')), [{ session: 'b', stopped: ['web'], kept: [] }]);
  });

  it('tells a successor of both sessions at once', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up(['web'], A);
    await isReady('web');
    supervisor.up(['web'], B);
    const { owners: kept } = readRegistry(unit.host.stateDir).services.web as { owners: Owner[] };
    assert.deepEqual(kept, [A, B]);
  });

  it('writes down at once to whom a running tree was handed over', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up(['web'], A);
    await isReady('web');
    supervisor.up(['web'], B);
    const reaping = reap('a');
    assert.deepEqual(readRegistry(unit.host.stateDir).trees.get('service/web')?.owner, B);
    await reaping;
  });

  it('keeps what a service of another session depends on', async () => {
    supervise({ services: { db: SLEEP, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['db'], A);
    await isReady('db');
    supervisor.up(['web'], B);
    await isReady('web');
    assert.deepEqual(said(await reap('a')), [{ session: 'a', stopped: [], kept: ['db to b'] }]);
    assert.deepEqual([owners('db', 'web'), service('web').state], [['b', 'b'], 'ready']);
  });

  it('ends dependents before what they depend on when two sessions are over together', async () => {
    supervise({ services: { db: SLEEP, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['db'], A);
    await isReady('db');
    supervisor.up(['web'], B);
    await isReady('web');
    unit.journal.length = 0;
    await reap('a', 'b');
    const order = unit.journal.filter(({ event }) => event === 'tree_reaped').map(({ name }) => name);
    assert.deepEqual(order, ['web', 'db']);
  });

  it('gives a dependency that was started for a session to that session', async () => {
    supervise({ services: { db: SLEEP, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['web'], A);
    await isReady('web');
    const [reaped] = await reap('a');
    assert.deepEqual(reaped?.trees.map((tree) => tree.name).sort(), ['db', 'web']);
  });

  it('leaves what was asked for beyond all sessions', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up(['web'], A);
    await isReady('web');
    supervisor.up(['web'], CONFIGURATION);
    assert.deepEqual(
      [said(await reap('a')), service('web').state],
      [[{ session: 'a', stopped: [], kept: [] }], 'ready'],
    );
  });

  it('hands a service to the configuration that says `onOwnerLoss: adopt`', async () => {
    supervise({ services: { web: { ...SLEEP, onOwnerLoss: 'adopt' } } });
    supervisor.up(['web'], A);
    await isReady('web');
    assert.deepEqual(said(await reap('a')), [{ session: 'a', stopped: [], kept: ['web to configuration'] }]);
    assert.deepEqual([service('web').state, owners('web')], ['ready', ['configuration']]);
  });

  it('starts nothing any more that waited for its session alone', async () => {
    supervise({ services: { db: NEVER_READY, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['web'], A);
    await reap('a');
    assert.deepEqual(
      [supervisor.intent.pending.size, service('web').status.detail, service('db').state],
      [0, null, 'stopped'],
    );
  });

  it('goes on with what waits when another session asked for it as well', async () => {
    supervise({ services: { db: NEVER_READY, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['web'], A);
    supervisor.up(['web'], B);
    const kept = said(await reap('a')).flatMap((one) => one.kept);
    assert.deepEqual([kept, supervisor.intent.pending.get('web')], [['db to b', 'web to b'], B]);
  });

  it('keeps in force for the second that everything was asked for by two', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up([], A);
    supervisor.up([], B);
    await isReady('web');
    await reap('a');
    const restored = new Intent({ setIntent: () => {} });
    restored.restore(unit.host.registry.intent(), new Map());
    assert.deepEqual([supervisor.intent.everythingFor, restored.everythingFor], [B, B]);
  });

  it('ends a service that is at rest between the stop and the start of its restart', async () => {
    supervise({ services: { db: SLEEP, web: { ...SLEEP, dependsOn: ['db'] } } });
    supervisor.up(['web'], A);
    await isReady('web');
    const restarted = supervisor.restart(['db', 'web'], A);
    await service('web').until(() => service('web').atRest);
    await reap('a');
    await restarted;
    assert.deepEqual([service('web').atRest, service('db').atRest, supervisor.busy], [true, true, false]);
  });

  it('cancels the run that a session started', async () => {
    supervise({ tasks: { build: TASK } });
    supervisor.up(['build'], A);
    await until('the task', () => underWay('build')?.tasks.get('build')?.tree);
    assert.deepEqual(said(await reap('a')), [{ session: 'a', stopped: ['build'], kept: [] }]);
    assert.equal([...supervisor.runs.values()][0]?.status.state, 'canceled');
  });

  it('goes on with a run that a service of another session waits for, and tells a successor whose it is', async () => {
    supervise({
      tasks: { build: TASK },
      services: { preview: { ...SLEEP, dependsOn: { build: 'succeeded' } } },
    });
    supervisor.up(['build'], A);
    await until('the task', () => underWay('build')?.tasks.get('build')?.tree);
    supervisor.up(['preview'], B);
    await reap('a');
    const [reading] = readRuns(unit.host.stateDir);
    const record = underWay('build')?.tasks.get('build')?.tree?.record;
    assert.deepEqual([reading?.kind === 'run' && reading.run.owners, record?.owner], [[B], B]);
  });

  it('goes on with a run that another session asked for as well', async () => {
    supervise({ tasks: { build: TASK } });
    supervisor.up(['build'], A);
    supervisor.up(['build'], B);
    const [run] = supervisor.runs.values();
    assert.deepEqual(said(await reap('a'))[0]?.kept, [`${run?.id} to b`]);
  });

  it('hands a run to the configuration whose task says `onOwnerLoss: adopt`', async () => {
    supervise({ tasks: { build: { ...TASK, onOwnerLoss: 'adopt' } } });
    supervisor.up(['build'], A);
    await reap('a');
    assert.deepEqual(underWay('build')?.status.owner, 'configuration');
  });

  it('ends the commands of a session, one that is being launched too', async () => {
    supervise({});
    const request = { argv: ['sleep', '1000'] as const, cwd: unit.host.root, env: { PATH: process.env.PATH } };
    const other = await supervisor.exec({ ...request, owner: B, attached: false });
    const launching = supervisor.exec({ ...request, owner: A, attached: false });
    const [reaped] = await reap('a');
    const started = await launching;
    assert.ok(started.ok && other.ok);
    const [record] = unit.host.registry.records();
    assert.deepEqual(
      [reaped?.trees.length, unit.host.registry.records().length, liveness(record!.tree.leader)],
      [1, 1, 'alive'],
    );
  });

  it('keeps the newest process of a session on record', async () => {
    supervise({ services: { web: SLEEP } });
    supervisor.up(['web'], A);
    await isReady('web');
    const newer = { ...A, process: { pid: 7, startTime: '7', bootId: 'b' } };
    supervisor.holdings.renew(newer);
    assert.deepEqual(readRegistry(unit.host.stateDir).trees.get('service/web')?.owner, newer);
  });

  it('does not keep a claim of a start that has had its end', async () => {
    supervise({ services: { web: { command: 'true' } } });
    supervisor.up(['web'], A);
    await service('web').until(() => service('web').state === 'completed');
    service('web').retune(configOf(unit.host.root, { services: { web: SLEEP } }).services.get('web')!);
    supervisor.up(['web'], B);
    await isReady('web');
    assert.deepEqual(said(await reap('b')), [{ session: 'b', stopped: ['web'], kept: [] }]);
  });
});
