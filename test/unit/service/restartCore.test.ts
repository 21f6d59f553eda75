import assert from 'node:assert/strict';
import {
  type Accounting,
  backoffDelay,
  budgetUse,
  emptyAccounting,
  recordCleanExit,
  recordCrash,
  recordDrain,
  recordRecovery,
  recordWedge,
  reset,
} from '../../../server/service/restartCore.ts';
import { defaults as limits, NOW } from './policyCases.ts';

const MINUTE = 60_000;
const noJitter = (): number => 0;

const crash = (accounting: Accounting, now: number) => recordCrash(accounting, now, limits, noJitter);

/** Crashes at the given times; what was decided each time. */
function crashesAt(times: readonly number[], from = emptyAccounting()) {
  let accounting = from;
  return times.map((at) => {
    const decision = crash(accounting, at);
    accounting = decision.accounting;
    return decision;
  });
}

const every = (count: number, gap: number): number[] => Array.from({ length: count }, (_, index) => NOW + index * gap);

describe('restart accounting: the breaker (R53, R57)', () => {
  it('opens at exactly the eighth crash, each within 5 min of the one before', () => {
    const spent = crashesAt(every(8, 1000)).map((decision) => decision.spent);
    assert.deepEqual(spent, [null, null, null, null, null, null, null, 'crashes']);
  });

  it('counts a gap of exactly 5 min as within it', () => {
    assert.deepEqual(
      crashesAt(every(3, 5 * MINUTE)).map((one) => one.accounting.crashes),
      [1, 2, 3],
    );
  });

  it('starts again at 1 after a gap of more than 5 min', () => {
    const times = [...every(7, 1000), NOW + 6000 + 5 * MINUTE + 1];
    const last = crashesAt(times).at(-1);
    assert.deepEqual([last?.accounting.crashes, last?.spent], [1, null]);
  });

  it('is tripped by 1/0/1/0 and so on: clean exits neither add nor reset crashes', () => {
    let accounting = emptyAccounting();
    const spent: (string | null)[] = [];
    for (let index = 0; index < 8; index += 1) {
      const decision = crash(accounting, NOW + index * 10_000);
      spent.push(decision.spent);
      accounting = recordCleanExit(decision.accounting, NOW + index * 10_000 + 5000, limits).accounting;
    }
    assert.deepEqual(spent, [null, null, null, null, null, null, null, 'crashes']);
  });

  it('is not tripped by 100 clean exits', () => {
    let accounting = emptyAccounting();
    for (let index = 0; index < 100; index += 1)
      accounting = recordCleanExit(accounting, NOW + index, limits).accounting;
    assert.equal(accounting.crashes, 0);
  });
});

describe('restart accounting: the delay', () => {
  it('doubles from 1 s to 60 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 2000].map((crashes) => backoffDelay(crashes, limits.backoff, noJitter));
    assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('gets up to a fifth more as jitter', () => {
    assert.deepEqual(
      [0, 0.5, 0.999_999].map((random) => backoffDelay(2, limits.backoff, () => random)),
      [2000, 2200, 2400],
    );
  });

  it('stays 0 when no delay is set, however many crashes there were', () => {
    assert.equal(
      backoffDelay(5000, { initialMs: 0, maxMs: 0 }, () => 0.9),
      0,
    );
  });
});

describe('restart accounting: recovery (R58, R59)', () => {
  it('sets crash count and delay back', () => {
    const after = recordRecovery(crashesAt(every(6, 1000)).at(-1)!.accounting);
    const next = crash(after, NOW + 70_000);
    assert.deepEqual([after.crashes, next.accounting.crashes, next.delayMs], [0, 1, 1000]);
  });

  it('does not refill the slow budget: dying 61 s after ready for ever ends at the eleventh crash', () => {
    let accounting = emptyAccounting();
    const spent: (string | null)[] = [];
    for (let index = 0; index < 11; index += 1) {
      const decision = crash(accounting, NOW + index * 62_000);
      spent.push(decision.spent);
      accounting = recordRecovery(decision.accounting);
    }
    assert.deepEqual(spent.slice(-2), [null, 'slow']);
  });

  it('leaves clean restarts, drains and wedges as they are', () => {
    const one = recordCleanExit(emptyAccounting(), NOW, limits).accounting;
    const two = recordWedge(recordDrain(one, NOW, limits).accounting, NOW, limits).accounting;
    const { clean, drains, wedges } = recordRecovery(two);
    assert.deepEqual([clean.length, drains.length, wedges.length], [1, 1, 1]);
  });
});

describe('restart accounting: the slow budget (R58)', () => {
  it('is not spent by 11 crashes in more than 60 min', () => {
    const decisions = crashesAt(every(11, 6 * MINUTE + 1));
    assert.ok(decisions.every((one) => one.spent === null));
  });

  it('is spent by 11 crashes in exactly 60 min', () => {
    assert.equal(crashesAt(every(11, 6 * MINUTE)).at(-1)?.spent, 'slow');
  });

  it('counts in a window of 24 h what was before midnight, before Monday and before the clocks changed (R117)', () => {
    const day: typeof limits = { ...limits, slow: { count: 3, windowMs: 24 * 60 * MINUTE } };
    // Sunday 25 October 2026, the end of summer time in Europe, to Monday.
    const times = ['2026-10-25T00:30Z', '2026-10-25T12:00Z', '2026-10-25T23:59Z', '2026-10-26T00:29Z'].map(Date.parse);
    let accounting = emptyAccounting();
    const spent = times.map((at) => {
      const decision = recordCrash(accounting, at, day, noJitter);
      accounting = decision.accounting;
      return decision.spent;
    });
    assert.deepEqual(spent, [null, null, null, 'slow']);
  });

  it('remembers no more than it needs over 10 000 crashes', () => {
    const last = crashesAt(every(10_000, 1000)).at(-1);
    assert.equal(last?.accounting.slow.length, limits.slow.count + 1);
  });
});

describe('restart accounting: clean restarts (R54)', () => {
  const cleanAt = (times: readonly number[]) => {
    let accounting = emptyAccounting();
    return times.map((at) => {
      const decision = recordCleanExit(accounting, at, limits);
      accounting = decision.accounting;
      return decision;
    });
  };

  it('are not delayed within the budget', () => {
    assert.ok(cleanAt(every(10, 100)).every((one) => one.delayMs === 0 && !one.warn));
  });

  it('warn and slow down to one a second at the eleventh in 60 s', () => {
    const last = cleanAt(every(11, 100)).at(-1);
    assert.deepEqual([last?.delayMs, last?.warn], [1000, true]);
  });

  it('warn once while they go on over the budget', () => {
    assert.equal(cleanAt(every(40, 1000)).filter((one) => one.warn).length, 1);
  });

  it('warn anew after a time within the budget', () => {
    const again = every(11, 100).map((at) => at + 10 * MINUTE);
    assert.equal(cleanAt([...every(11, 100), ...again]).filter((one) => one.warn).length, 2);
  });
});

describe('restart accounting: drains and wedges (R65, R70)', () => {
  it('fail at the drain after three within 10 min', () => {
    let accounting = emptyAccounting();
    const spent = every(4, 3 * MINUTE).map((at) => {
      const decision = recordDrain(accounting, at, limits);
      accounting = decision.accounting;
      return decision.spent;
    });
    assert.deepEqual(spent, [false, false, false, true]);
  });

  it('fail at the wedge after three within 30 min', () => {
    let accounting = emptyAccounting();
    const spent = every(4, 10 * MINUTE).map((at) => {
      const decision = recordWedge(accounting, at, limits);
      accounting = decision.accounting;
      return decision.spent;
    });
    assert.deepEqual(spent, [false, false, false, true]);
  });

  it('never add to the crashes', () => {
    const drained = recordDrain(emptyAccounting(), NOW, limits).accounting;
    assert.equal(recordWedge(drained, NOW, limits).accounting.crashes, 0);
  });
});

describe('restart accounting: a clock that jumps (R87)', () => {
  it('still counts crashes in a row after it was set back by an hour', () => {
    const before = crashesAt(every(7, 1000)).at(-1)!.accounting;
    assert.equal(crash(before, NOW - 60 * MINUTE).spent, 'crashes');
  });

  it('lets the windows age from the moment it was set back', () => {
    const before = crashesAt(every(7, 1000)).at(-1)!.accounting;
    const setBack = crash(before, NOW - 600 * MINUTE).accounting;
    assert.equal(budgetUse(setBack, NOW - 600 * MINUTE + 61 * MINUTE, limits).slow, 0);
  });

  it('frees what lies before a jump forward', () => {
    const before = crashesAt(every(7, 1000)).at(-1)!.accounting;
    assert.equal(crash(before, NOW + 24 * 60 * MINUTE).accounting.crashes, 1);
  });
});

describe('restart accounting', () => {
  it('is plain JSON, so that a successor continues with it', () => {
    const { accounting } = recordCleanExit(crashesAt(every(5, 1000)).at(-1)!.accounting, NOW, limits);
    assert.deepEqual(JSON.parse(JSON.stringify(accounting)), accounting);
  });

  it('is empty after a reset', () => {
    assert.deepEqual(reset(), emptyAccounting());
  });

  it('does not change what it was given', () => {
    const before = Object.freeze(emptyAccounting());
    crash(before, NOW);
    assert.deepEqual(before, emptyAccounting());
  });

  it('tells what of each budget is used now', () => {
    const crashed = crashesAt(every(3, 1000)).at(-1)!.accounting;
    const used = budgetUse(recordDrain(crashed, NOW + 3000, limits).accounting, NOW + 6 * MINUTE, limits);
    assert.deepEqual(used, { crashes: 0, slow: 3, clean: 0, drains: 1, wedges: 0 });
  });
});
