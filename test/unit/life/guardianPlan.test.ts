import assert from 'node:assert/strict';
import {
  countLosses,
  inheritAccounting,
  replacementDelay,
  SUPERVISOR_LIMITS,
  schedule,
} from '../../../server/life/guardianPlan.ts';
import { emptyAccounting, recordRecovery } from '../../../server/service/restartCore.ts';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

describe('the schedule of a guardian', () => {
  it('brings the first successor at once and doubles from a second on, until the breaker opens', () => {
    assert.deepEqual(schedule(emptyAccounting(), NOW), [0, 1000, 2000, 4000, 8000, 16_000, 32_000]);
  });

  it('goes on where the losses so far have left it', () => {
    assert.deepEqual(schedule(countLosses(emptyAccounting(), 5, NOW), NOW), [16_000, 32_000]);
  });

  it('is empty when the budget is spent', () => {
    assert.deepEqual(schedule(countLosses(emptyAccounting(), 7, NOW), NOW), []);
  });

  it('is whole again after a recovery, but for what an hour allows', () => {
    const recovered = recordRecovery(countLosses(emptyAccounting(), 7, NOW));
    assert.deepEqual(schedule(recovered, NOW + MINUTE), [0, 1000, 2000]);
  });

  it('is whole again once the losses are an hour old', () => {
    const lost = recordRecovery(countLosses(emptyAccounting(), 7, NOW));
    assert.equal(schedule(lost, NOW + 61 * MINUTE).length, 7);
  });

  it('is whole again without a recovery once the last loss is beyond the window', () => {
    const lost = countLosses(emptyAccounting(), 3, NOW);
    assert.deepEqual(schedule(lost, NOW + 6 * MINUTE).slice(0, 2), [0, 1000]);
  });

  it('is no longer than before when the clock was set back', () => {
    const lost = countLosses(emptyAccounting(), 5, NOW);
    assert.deepEqual(schedule(lost, NOW - 60 * MINUTE), schedule(lost, NOW));
  });

  it('always ends, whatever was lost before', () => {
    let accounting = emptyAccounting();
    for (let round = 0; round < 1000; round += 1) {
      const now = NOW + round * 7 * MINUTE;
      const delays = schedule(accounting, now);
      assert.ok(delays.length <= SUPERVISOR_LIMITS.crashes.count, `round ${round}: ${delays.length}`);
      accounting = countLosses(accounting, (round * 7) % 5, now);
    }
  });
});

describe('what a supervisor inherits of the losses', () => {
  const earlier = { accounting: countLosses(emptyAccounting(), 2, NOW), gaveUp: false };

  it('is nothing where there was none', () => {
    assert.deepEqual(inheritAccounting(null, 0, NOW), emptyAccounting());
  });

  it('is the count and its own loss for one that a guardian started', () => {
    assert.equal(inheritAccounting(earlier, 1, NOW).crashes, 3);
  });

  it('counts each loss that the guardian saw', () => {
    assert.equal(inheritAccounting(earlier, 3, NOW).crashes, 5);
  });

  it('is the count as it is for one that a person started', () => {
    assert.deepEqual(inheritAccounting(earlier, 0, NOW), earlier.accounting);
  });

  it('is nothing when a person starts one after the guardian has given up', () => {
    assert.deepEqual(inheritAccounting({ ...earlier, gaveUp: true }, 0, NOW), emptyAccounting());
  });

  it('is nothing but its own loss where the record cannot be understood', () => {
    assert.equal(inheritAccounting({ accounting: null, gaveUp: false }, 1, NOW).crashes, 1);
  });
});

describe('the wait before a guardian is replaced', () => {
  it('is none for the first five in a minute', () => {
    assert.equal(replacementDelay([NOW, NOW, NOW, NOW, NOW], NOW), 0);
  });

  it('doubles from then on, up to a minute', () => {
    const delays = [6, 7, 8, 20].map((count) => replacementDelay(Array(count).fill(NOW), NOW));
    assert.deepEqual(delays, [1000, 2000, 4000, 60_000]);
  });

  it('forgets after a minute', () => {
    assert.equal(replacementDelay(Array(20).fill(NOW), NOW + MINUTE), 0);
  });
});
