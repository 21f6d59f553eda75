import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { TestWorkspace } from '../../support/workspace.ts';

describe('dependencies of real services', function () {
  this.timeout(30_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('dependencies', (director) => {
      const service = (name: string, dependsOn: unknown = [], more: object = {}) => ({
        command: director.command(name),
        ready: { log: '^up$' },
        restart: { backoff: { initial: '5ms', max: '5ms' }, crashes: { count: 1 } },
        dependsOn,
        ...more,
      });
      return {
        services: {
          database: service('database'),
          api: service('api', { database: 'ready' }),
          web: service('web', ['api']),
          side: service('side'),
          migration: service('migration', [], { restart: 'on-failure', ready: 'none' }),
          'after-migration': service('after-migration', { migration: 'completed' }),
          slow: service('slow'),
          'after-started': service('after-started', { slow: 'started' }),
          preview: service('preview', { build: 'succeeded' }),
          tester: service('tester', ['preview']),
          broken: service('broken', { failing: 'succeeded' }),
          'behind-broken': service('behind-broken', ['broken']),
          fragile: service('fragile'),
          needy: service('needy', ['fragile']),
          switched: service('switched', [], { enabled: false }),
          'needs-switched': service('needs-switched', ['switched']),
        },
        tasks: {
          build: { command: director.command('build') },
          failing: { command: director.command('failing'), dependsOn: [] },
        },
      };
    });
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  const start = (name: string, number = 1) => stage.director.start(name, number);

  it('starts in order, each when what it needs is ready, and what is independent at once', async () => {
    await stage.up('web', 'side');
    const [database] = await Promise.all([start('database'), start('side')]);
    const api = await stage.service('api');
    assert.deepEqual(
      [api.state, api.detail, stage.director.starts('api').length],
      ['stopped', 'waits for database', 0],
    );
    assert.equal((await stage.service('web')).detail, 'waits for api');
    await database.tell({ print: 'up' });
    const second = await start('api');
    assert.equal(stage.director.starts('web').length, 0);
    await second.tell({ print: 'up' });
    await (await start('web')).tell({ print: 'up' });
    await stage.until('web', 'ready');
    const order = stage.journal().filter((one) => one.event === 'service_spawned' || one.event === 'service_ready');
    const chain = order.filter((one) => one.name !== 'side').map((one) => `${one.name} ${one.event.slice(8)}`);
    assert.deepEqual(
      chain,
      ['database', 'api', 'web'].flatMap((name) => [`${name} spawned`, `${name} ready`]),
    );
  });

  it('stops in reverse order, and what is independent at the same time', async () => {
    const actors = new Map(
      ['database', 'api', 'web', 'side'].map((name) => [name, stage.director.starts(name).at(-1)]),
    );
    for (const actor of actors.values()) await actor?.tell({ trap: 'SIGTERM' });
    const stopping = stage.stop();
    await until(
      'two signals',
      () => actors.get('web')?.trapped.length === 1 && actors.get('side')?.trapped.length === 1,
    );
    assert.deepEqual([actors.get('api')?.trapped, actors.get('database')?.trapped], [[], []]);
    void actors.get('web')?.tell({ exit: 0 });
    await until('the next', () => actors.get('api')?.trapped.length === 1);
    assert.deepEqual(actors.get('database')?.trapped, []);
    void actors.get('api')?.tell({ exit: 0 });
    await until('the last', () => actors.get('database')?.trapped.length === 1);
    void actors.get('database')?.tell({ exit: 0 });
    void actors.get('side')?.tell({ exit: 0 });
    assert.deepEqual(
      (await stopping).filter((one) => one.reason === 'stopped').map((one) => one.proof?.survivors.length),
      [0, 0, 0, 0],
    );
  });

  it('starts after `completed` once the other has exited with 0', async () => {
    await stage.up('after-migration');
    const migration = await start('migration');
    assert.equal((await stage.service('after-migration')).detail, 'waits for migration');
    void migration.tell({ exit: 0 });
    await start('after-migration');
  });

  it('starts after `started` once the other was spawned, ready or not', async () => {
    await stage.up('after-started');
    await start('after-started');
    assert.equal((await stage.service('slow')).state, 'starting');
  });

  it('runs a task that a service needs, and starts it once that has succeeded', async () => {
    await stage.up('preview');
    const build = await start('build');
    assert.equal(stage.director.starts('preview').length, 0);
    void build.tell({ exit: 0 });
    await start('preview');
    assert.deepEqual(
      (await stage.status()).runs.map((run) => [run.state, run.tasks.map((task) => task.name)]),
      [['succeeded', ['build']]],
    );
  });

  it('blocks what needs a task that failed, says why all along the chain, and exits with 1', async () => {
    stage.director.plan('failing', () => [{ exit: 3 }]);
    const began = performance.now();
    const up = await stage.run('up', 'behind-broken', '--detach');
    const [broken, behind] = [await stage.service('broken'), await stage.service('behind-broken')];
    assert.equal(up.code, 1);
    assert.deepEqual(
      [broken.state, broken.blockedBy, broken.detail, behind.state, behind.blockedBy, behind.detail],
      [
        'stopped',
        'failing',
        'blocked: failing ended as failed',
        'stopped',
        'broken',
        'blocked: broken is blocked: failing ended as failed',
      ],
    );
    assert.match(up.stdout + up.stderr, /failing ended as failed/);
    assert.ok(performance.now() - began < 5000);
  });

  it('releases them when the task is run again and succeeds', async () => {
    stage.director.plan('failing', () => [{ exit: 0 }]);
    stage.director.plan('broken', () => [{ print: 'up' }]);
    await stage.up('broken');
    await stage.until('broken', 'ready');
    await start('behind-broken');
  });

  it('blocks what needs a service that has failed, and releases it once that was reset and is ready', async () => {
    stage.director.plan('fragile', (number) => (number === 1 ? [{ exit: 1 }] : [{ print: 'up' }]));
    await stage.up('needy');
    const blocked = await stage.until('needy', (one) => one.blockedBy !== null);
    assert.deepEqual([blocked.blockedBy, blocked.detail], ['fragile', 'blocked: fragile has failed']);
    await stage.request('reset', { names: ['fragile'] });
    await stage.up('fragile');
    await start('needy');
  });

  it('does not start what is not enabled for what needs it, says so, and goes on once it was asked for by name', async () => {
    await stage.up('needs-switched');
    const service = await stage.until('needs-switched', (one) => one.detail !== null || one.state !== 'stopped');
    assert.equal(service.detail, 'blocked: switched is not enabled, and was not asked for by name');
    await stage.up('switched');
    await (await start('switched')).tell({ print: 'up' });
    await start('needs-switched');
  });

  it('starts nothing later for one that was stopped while it waited', async () => {
    await stage.stop('tester', 'preview');
    await stage.up('tester');
    void (await start('build', 2)).tell({ exit: 0 });
    await start('preview', 2);
    assert.equal((await stage.service('tester')).detail, 'waits for preview');
    await stage.stop('tester', 'preview');
    stage.director.plan('build', () => [{ exit: 0 }]);
    await stage.up('preview');
    const preview = await start('preview', 3);
    await preview.tell({ print: 'up' });
    await stage.until('preview', 'ready');
    const tester = await stage.service('tester');
    assert.deepEqual([tester.state, tester.detail, stage.director.starts('tester').length], ['stopped', null, 0]);
  });

  it('refuses a cycle with exit code 78 and starts no supervisor', async () => {
    const workspace = new TestWorkspace('cycle');
    const command = 'sleep 1000';
    workspace.configure({ services: { a: { command, dependsOn: ['b'] }, b: { command, dependsOn: ['a'] } } });
    const up = await workspace.run('up', '--detach');
    assert.equal(up.code, 78);
    assert.match(up.stderr, /coppice\.json:\d+:\d+: .*(a.*b|cycle)/);
    assert.equal(existsSync(join(workspace.root, '.coppice/supervisor.lock')), false);
  });
});
