import assert from 'node:assert/strict';
import {
  confirmMemory,
  INITIAL_VERDICT,
  type MemoryLevel,
  type MemoryVerdict,
  memoryInterval,
  sampleMemory,
  watchMemory,
} from '../../../server/service/watch/memory.ts';
import { until } from '../../support/until.ts';

const limits = { warnBytes: 1_000, maxBytes: 2_000 };

/** The level after these samples, the exact figure agreeing with each of them unless it is given. */
function levelAfter(samples: readonly number[], exact?: number): MemoryLevel {
  return feed(INITIAL_VERDICT, samples, exact).level;
}

function feed(from: MemoryVerdict, samples: readonly number[], exact?: number): MemoryVerdict {
  return samples.reduce((verdict, bytes) => {
    const next = sampleMemory(verdict, bytes, limits);
    return next.confirm ? confirmMemory(next.verdict, exact ?? bytes, limits) : next.verdict;
  }, from);
}

describe('the verdict on memory', () => {
  it('does not act on one or two samples', () => {
    assert.equal(levelAfter([5_000, 5_000]), 'ok');
  });

  it('is over after three samples in a row', () => {
    assert.equal(levelAfter([5_000, 5_000, 5_000]), 'over');
  });

  it('is not over when one of the three is not', () => {
    assert.equal(levelAfter([5_000, 5_000, 500, 5_000, 5_000]), 'ok');
  });

  it('is not over at exactly the limit', () => {
    assert.equal(levelAfter([2_000, 2_000, 2_000]), 'warn');
  });

  it('stays ok when the exact figure does not confirm it', () => {
    assert.equal(levelAfter([5_000, 5_000, 5_000], 900), 'ok');
  });

  it('warns when the exact figure confirms a warning only', () => {
    assert.equal(levelAfter([5_000, 5_000, 5_000], 1_500), 'warn');
  });

  it('gathers new samples after an exact figure that disagreed', () => {
    const verdict = feed(INITIAL_VERDICT, [5_000, 5_000, 5_000], 900);
    assert.equal(sampleMemory(verdict, 5_000, limits).confirm, false);
  });

  it('does not flap for a figure that wavers about the limit', () => {
    const warned = feed(INITIAL_VERDICT, [1_100, 1_100, 1_100]);
    assert.equal(feed(warned, [950, 1_050, 950, 950, 950, 950]).level, 'warn');
  });

  it('is ok again after three samples clearly below', () => {
    const warned = feed(INITIAL_VERDICT, [1_100, 1_100, 1_100]);
    assert.equal(feed(warned, [890, 890, 890]).level, 'ok');
  });

  it('is always ok without limits', () => {
    const none = { warnBytes: null, maxBytes: null };
    assert.equal(sampleMemory(INITIAL_VERDICT, 1e12, none).verdict.level, 'ok');
  });

  it('counts a sample of 0 as one (R66)', () => {
    const warned = feed(INITIAL_VERDICT, [1_100, 1_100, 1_100]);
    assert.equal(feed(warned, [0, 0, 0]).level, 'ok');
  });
});

describe('watchMemory', () => {
  it('asks for the exact figure only before a level is entered', async () => {
    const ended = new AbortController();
    let confirmed = 0;
    let samples = 0;
    const levels: MemoryLevel[] = [];
    watchMemory({
      limits: () => limits,
      sample: async () => (samples < 10 ? 500 : 5_000),
      confirm: async () => {
        confirmed += 1;
        return 5_000;
      },
      signal: ended.signal,
      onSample: () => (samples += 1),
      onVerdict: (level) => levels.push(level),
      interval: () => 2,
    });
    await until('20 samples', () => samples >= 20);
    ended.abort();
    assert.deepEqual([confirmed, levels], [1, ['over']]);
  });

  it('looks often near a limit and seldom far from one', () => {
    assert.equal(memoryInterval(600, limits) < memoryInterval(100, limits), true);
  });
});
