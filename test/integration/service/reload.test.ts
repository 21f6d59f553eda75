import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const restart = { backoff: { initial: '5ms', max: '10ms' }, crashes: { count: 8, window: '5m' } };

describe('a configuration that is saved while services run', function () {
  this.timeout(30_000);
  let stage: Stage;
  let file: string;

  before(async () => {
    stage = await Stage.open('reload', (director) => ({
      services: {
        changing: { command: director.command('changing', 'first'), restart, ready: { log: '^up$' } },
        steady: { command: director.command('steady'), restart, ready: { log: '^up$' }, port: 'auto' },
        leaving: { command: director.command('leaving'), ready: { log: '^up$' } },
      },
    }));
    for (const name of ['changing', 'steady', 'leaving', 'later', 'last'])
      stage.director.plan(name, () => [{ print: 'up' }]);
    file = join(stage.workspace.root, 'coppice.json');
    await stage.up();
    for (const name of ['changing', 'steady', 'leaving']) await stage.until(name, 'ready');
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  const services = (): Record<string, Record<string, unknown>> =>
    structuredClone(stage.config.services) as Record<string, Record<string, unknown>>;
  const applied = (count: number): Promise<unknown> => stage.untilJournal(undefined, 'configuration_applied', count);
  const text = (): string => JSON.stringify(stage.config, null, 2);

  it('restarts the service whose command changed, and no other', async () => {
    const before = await stage.service('steady');
    const next = services();
    next.changing = { ...next.changing, command: stage.director.command('changing', 'second') };
    stage.save({ services: next });
    const second = await stage.director.start('changing', 2);
    await stage.until('changing', 'ready');
    const now = await stage.service('steady');
    assert.deepEqual(
      [second.hello.argv.at(-1), second.hello.predecessors, now.pid, now.incarnation],
      ['second', [], before.pid, before.incarnation],
    );
    assert.deepEqual((await stage.service('changing')).crashes, 0);
  });

  it('applies other restart numbers without a restart', async () => {
    const before = await stage.service('steady');
    const next = services();
    next.steady = { ...next.steady, restart: { ...restart, crashes: { count: 1 } } };
    stage.save({ services: next });
    await applied(2);
    assert.equal((await stage.service('steady')).pid, before.pid);
    void stage.director.starts('steady').at(-1)?.tell({ exit: 1 });
    const failed = await stage.until('steady', (one) => one.state === 'failed' || one.incarnation > before.incarnation);
    assert.equal(failed.state, 'failed');
    await stage.request('reset', { names: ['steady'] });
    await stage.up('steady');
    await stage.until('steady', 'ready');
  });

  it('stops a service that was removed, and shows it no more', async () => {
    const { pid } = await stage.service('leaving');
    const { leaving, ...rest } = services();
    assert.ok(leaving);
    stage.save({ services: rest });
    await until('its end', async () => (await stage.status()).services.every((one) => one.name !== 'leaving'));
    assert.ok(pid !== null);
    assert.throws(() => process.kill(pid, 0));
    assert.equal((await stage.service('changing')).state, 'ready');
  });

  it('starts an enabled service that was added after everything was asked for', async () => {
    stage.save({
      services: { ...services(), later: { command: stage.director.command('later'), ready: { log: '^up$' } } },
    });
    await stage.director.start('later', 1);
    await stage.until('later', 'ready');
  });

  it('leaves one that was added and is not enabled, and starts it once that changes', async () => {
    const last = { command: stage.director.command('last'), enabled: false, ready: { log: '^up$' } };
    stage.save({ services: { ...services(), last } });
    await until('its row', async () => (await stage.status()).services.some((one) => one.name === 'last'));
    assert.equal((await stage.service('last')).state, 'stopped');
    stage.save({ services: { ...services(), last: { ...last, enabled: true } } });
    await stage.until('last', 'ready');
    assert.equal(stage.director.starts('last').length, 1);
  });

  it('keeps the old one in force when the new one is wrong, says where, and exits with 78', async () => {
    const before = await stage.status();
    writeFileSync(file, text().replace('"restart"', '"restrat"'));
    const reload = await stage.run('reload');
    assert.equal(reload.code, 78);
    assert.match(reload.stderr, /coppice\.json:\d+:\d+: .*restrat[\s\S]*restart/);
    await stage.untilJournal(undefined, 'configuration_rejected');
    writeFileSync(file, '{ "services": ');
    assert.equal((await stage.run('reload')).code, 78);
    assert.deepEqual(
      (await stage.status()).services.map((one) => [one.name, one.state, one.pid]),
      before.services.map((one) => [one.name, one.state, one.pid]),
    );
    writeFileSync(file, text());
    assert.equal((await stage.run('reload')).code, 0);
  });

  it('touches nothing when the file is empty or away for a moment', async () => {
    const before = await stage.status();
    const rejected = stage.journal(undefined, 'configuration_rejected').length;
    writeFileSync(file, '');
    // Longer than the wait after which a save counts as done.
    await new Promise((resolve) => setTimeout(resolve, 250));
    writeFileSync(file, text());
    renameSync(file, `${file}.bak`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    rmSync(`${file}.bak`);
    const { changing, ...rest } = services();
    stage.save({ services: { ...rest, changing: { ...changing, stopTimeout: '4s' } } });
    await stage.run('reload');
    assert.deepEqual(
      (await stage.status()).services.map((one) => [one.name, one.pid]).sort(),
      before.services.map((one) => [one.name, one.pid]).sort(),
    );
    assert.equal(stage.journal(undefined, 'configuration_rejected').length, rejected);
  });

  it('takes a file that is emptied just as it is read for no configuration without services (all were stopped)', async () => {
    const before = await stage.status();
    writeFileSync(file, '');
    const reloaded = stage.request('reload', {});
    await new Promise((resolve) => setTimeout(resolve, 250));
    writeFileSync(file, text());
    assert.deepEqual((await reloaded).removed, []);
    const pids = (status: typeof before) => status.services.map(({ name, pid }) => [name, pid]);
    assert.deepEqual(pids(await stage.status()), pids(before));
  });

  it('goes on with the old one when the file is gone for good, and says so', async () => {
    const before = await stage.status();
    rmSync(file);
    const reload = await stage.run('reload');
    assert.equal(reload.code, 78);
    assert.match(reload.stderr, /it is gone/);
    assert.deepEqual(
      (await stage.status()).services.map((one) => one.pid),
      before.services.map((one) => one.pid),
    );
    stage.save(stage.config);
  });

  it('does not start again what is being stopped when its command changes', async () => {
    const actor = stage.director.starts('changing').at(-1);
    await actor?.tell({ trap: 'SIGTERM' });
    const stopping = stage.stop('changing');
    await until('the signal', () => actor?.trapped.length === 1);
    const starts = stage.director.starts('changing').length;
    const next = services();
    next.changing = { ...next.changing, command: stage.director.command('changing', 'third') };
    stage.save({ services: next });
    await stage.run('reload');
    assert.equal((await stage.service('changing')).state, 'stopping');
    void actor?.tell({ exit: 0 });
    await stopping;
    assert.deepEqual(
      [(await stage.service('changing')).state, stage.director.starts('changing').length],
      ['stopped', starts],
    );
  });

  it('releases the old port and takes the new one when the port changes', async () => {
    const old = await stage.service('steady');
    const next = services();
    next.steady = { ...next.steady, port: (old.port ?? 0) + 1 };
    next.heir = { command: stage.director.command('heir'), port: old.port, enabled: false };
    stage.save({ services: next });
    await stage.until('steady', (one) => one.state === 'ready' && one.incarnation > old.incarnation);
    await stage.up('heir');
    await stage.until('heir', (one) => one.state === 'ready' || one.crashes > 0);
    assert.deepEqual(
      [(await stage.service('steady')).port, (await stage.service('heir')).state],
      [(old.port ?? 0) + 1, 'ready'],
    );
    const none = services();
    delete none.steady?.port;
    stage.save({ services: none });
    await stage.until('steady', (one) => one.state === 'ready' && one.incarnation > old.incarnation + 1);
    assert.equal((await stage.service('steady')).port, null);
  });

  it('starts nothing any more once everything is being taken down', async () => {
    const own = await Stage.open('reload-down', (director) => ({
      services: { last: { command: director.command('last', 'first'), ready: { log: '^up$' } } },
    }));
    own.director.plan('last', () => [{ trap: 'SIGTERM' }, { print: 'up' }]);
    await own.up();
    await own.until('last', 'ready');
    const down = own.request('down', {});
    const actor = await own.director.start('last', 1);
    await until('the signal', () => actor.trapped.length === 1);
    own.save({
      services: { last: { command: own.director.command('last', 'second') }, more: own.config.services?.last },
    });
    await own.request('reload', {});
    void actor.tell({ exit: 0 });
    const { trees } = await down;
    assert.deepEqual([trees.map((tree) => tree.proof.survivors.length), own.director.starts('last').length], [[0], 1]);
    await own.close();
  });
});
