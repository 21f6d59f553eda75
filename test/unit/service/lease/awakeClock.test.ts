import assert from 'node:assert/strict';
import { AwakeClock } from '../../../../server/service/lease/awakeClock.ts';

describe('the clock that graces count on', () => {
  it('counts an hour of sleep as one step at the most', () => {
    let raw = 0;
    const clock = new AwakeClock(
      () => raw,
      () => 10_000,
    );
    raw = 3_600_000;
    assert.equal(clock.now(), 10_000);
  });

  it('counts what it sees pass otherwise', () => {
    let raw = 1_000;
    const clock = new AwakeClock(
      () => raw,
      () => 10_000,
    );
    for (let look = 0; look < 720; look += 1) {
      raw += 5_000;
      clock.now();
    }
    assert.equal(clock.now(), 3_600_000);
  });

  it('stands still when the clock below it jumps back', () => {
    let raw = 1_000;
    const clock = new AwakeClock(
      () => raw,
      () => 10_000,
    );
    raw = 0;
    assert.equal(clock.now(), 0);
  });
});
