import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const quick = { backoff: { initial: '5ms', max: '10ms' } };

/** Services by what the test is about; each is told by its plan how to end. */
const SETTINGS: Record<string, unknown> = {
  alternating: { policy: 'always', ...quick, crashes: { count: 3, window: '5m' } },
  polite: { policy: 'always', ...quick, crashes: { count: 3 }, clean: { count: 100, window: '60s' } },
  eager: { policy: 'always', ...quick, clean: { count: 4, window: '60s' } },
  killed: { policy: 'on-failure', ...quick, crashes: { count: 2 } },
  breaking: { policy: 'on-failure', ...quick, crashes: { count: 5, window: '5m' } },
  spaced: { policy: 'on-failure', backoff: { initial: '300ms', max: '300ms' }, crashes: { count: 2, window: '100ms' } },
  slow: { ...quick, crashes: { count: 3, window: '5m' }, slow: { count: 4, window: '60m' }, recovery: '30ms' },
  recovering: {
    backoff: { initial: '20ms', max: '1s' },
    crashes: { count: 9 },
    slow: { count: 50 },
    recovery: '200ms',
  },
  asked: { ...quick, crashes: { count: 2 } },
  done: { policy: 'on-failure' },
  once: { policy: 'no' },
  onceClean: { policy: 'no' },
};

describe('the restart policy with real children', function () {
  this.timeout(30_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('restart', (director) => ({
      services: Object.fromEntries(
        Object.entries(SETTINGS).map(([name, restart]) => [
          name,
          { command: director.command(name), enabled: false, restart, ready: { log: '^up$', interval: '20ms' } },
        ]),
      ),
    }));
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  it('counts crashes through clean exits between them: 1, 0, 1, 0, 1 opens the breaker under `always` (R53)', async () => {
    stage.director.ends('alternating', [1, 0, 1, 0, 1]);
    await stage.up('alternating');
    const failed = await stage.until('alternating', 'failed');
    assert.deepEqual([failed.crashes, stage.director.starts('alternating').length], [3, 5]);
  });

  it('takes thirty clean exits for no crash at all (R53)', async () => {
    stage.director.ends('polite', new Array(30).fill(0));
    await stage.up('polite');
    await stage.director.start('polite', 31);
    const service = await stage.until('polite', 'starting');
    assert.deepEqual([service.crashes, service.restarts], [0, 30]);
  });

  it('warns of clean exits above their budget and slows them to one a second (R54)', async () => {
    stage.director.ends('eager', new Array(6).fill(0));
    await stage.up('eager');
    await stage.director.start('eager', 7);
    const delays = stage.journal('eager', 'backoff').map((one) => one.ms);
    assert.deepEqual(delays, [0, 0, 0, 0, 1000, 1000]);
    assert.equal(stage.journal('eager', 'health_warn').length, 1);
  });

  it('takes an end by a signal for a crash, never for a clean exit (R55)', async () => {
    stage.director.ends('killed', ['SIGKILL', 'SIGTERM']);
    await stage.up('killed');
    const { lastExit } = await stage.until('killed', 'failed');
    assert.deepEqual([lastExit?.code, lastExit?.signal, lastExit?.cause], [null, 'SIGTERM', 'oom_or_external_kill']);
  });

  it('opens the breaker at exactly the fifth crash of five, with five starts counted by the child itself (R57)', async () => {
    stage.director.ends('breaking', [1, 2, 3, 4, 5, 6, 7]);
    await stage.up('breaking');
    const failed = await stage.until('breaking', 'failed');
    await stage.untilJournal('breaking', 'breaker_open');
    assert.deepEqual(
      [failed.crashes, failed.lastExit?.code, stage.director.starts('breaking').length, failed.restarts],
      [5, 5, 5, 4],
    );
  });

  it('begins the count anew when a crash is further from the last than the window (R57)', async () => {
    stage.director.ends('spaced', [1, 1, 1]);
    await stage.up('spaced');
    await stage.director.start('spaced', 4);
    const counts = stage.journal('spaced', 'service_exited').map((one) => one.crashes);
    assert.deepEqual(counts, [1, 1, 1]);
  });

  it('spends the slow budget although each crash comes after a recovery (R58)', async () => {
    await stage.up('slow');
    for (let start = 1; start <= 5; start += 1) {
      const actor = await stage.director.start('slow', start);
      void actor.tell({ print: 'up' });
      await stage.untilJournal('slow', 'service_ready', start);
      await stage.until('slow', (one) => one.crashes === 0);
      void actor.tell({ exit: 1 });
    }
    const failed = await stage.until('slow', 'failed');
    assert.match((await stage.until('slow', (one) => one.failure !== null)).failure ?? '', /crashed 5 times within 1h/);
    assert.deepEqual([failed.crashes, stage.director.starts('slow').length], [1, 5]);
  });

  it('sets crash count and delay back after a recovery (R59)', async () => {
    stage.director.ends('recovering', [1, 1, 1]);
    await stage.up('recovering');
    const fourth = await stage.director.start('recovering', 4);
    void fourth.tell({ print: 'up' });
    await stage.until('recovering', (one) => one.state === 'ready' && one.crashes === 0);
    void fourth.tell({ exit: 1 });
    await stage.director.start('recovering', 5);
    const delays = stage.journal('recovering', 'backoff').map((one) => Number(one.ms));
    const within = (index: number, least: number): boolean =>
      (delays[index] ?? 0) >= least && (delays[index] ?? 0) <= least * 1.2;
    assert.deepEqual(
      [within(0, 20), within(1, 40), within(2, 80), within(3, 20)],
      [true, true, true, true],
      `${delays}`,
    );
  });

  it('counts no stop and no restart that was asked for, whatever the child ends with (R56)', async () => {
    stage.director.plan('asked', () => [{ exitOn: { signal: 'SIGTERM', code: 7 } }]);
    await stage.up('asked');
    for (let start = 1; start <= 3; start += 1) {
      const actor = await stage.director.start('asked', start);
      // Answered in order: the handler is in place by then.
      await actor.tell({ print: 'hello' });
      await stage.request('restart', { names: ['asked'] });
    }
    await (await stage.director.start('asked', 4)).tell({ print: 'hello' });
    await stage.stop('asked');
    const { crashes, state, lastExit } = await stage.service('asked');
    assert.deepEqual([crashes, state, lastExit?.code, lastExit?.cause], [0, 'stopped', 7, 'requested_stop']);
  });

  it('shows `completed` after a clean exit under `on-failure`', async () => {
    stage.director.ends('done', [0]);
    await stage.up('done');
    const { lastExit, pid } = await stage.until('done', 'completed');
    assert.deepEqual([lastExit?.code, pid], [0, null]);
  });

  it('leaves a crash under `no` as it is, and starts again when asked without a reset', async () => {
    stage.director.ends('once', [3]);
    await stage.up('once');
    await stage.until('once', 'failed');
    const again = await stage.run('start', 'once');
    await stage.director.start('once', 2);
    assert.equal(again.code, 0, again.stderr);
  });

  it('shows `completed` after a clean exit under `no`', async () => {
    stage.director.ends('onceClean', [0]);
    await stage.up('onceClean');
    await stage.until('onceClean', 'completed');
    await until('one start', () => stage.director.starts('onceClean').length === 1);
  });
});
