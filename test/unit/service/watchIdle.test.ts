import assert from 'node:assert/strict';
import { type IdleSample, type IdleState, judgeIdle, watchIdle } from '../../../server/service/watch/idle.ts';
import { until } from '../../support/until.ts';

const unused: IdleSample = { connections: 0, outputEnd: 10 };

/** Whether it is idle at the last of the samples, which come 10 s apart from 0 on; idle after 30 s. */
function idleAfter(samples: readonly IdleSample[]): boolean {
  let state: IdleState = { usedAt: 0, outputEnd: null };
  let idle = false;
  samples.forEach((sample, index) => {
    ({ state, idle } = judgeIdle(state, sample, (index + 1) * 10_000, 30_000));
  });
  return idle;
}

describe('the verdict on idleness', () => {
  it('is idle after the whole time without use (R74)', () => {
    assert.equal(idleAfter([unused, unused, unused]), true);
  });

  it('is not idle before', () => {
    assert.equal(idleAfter([unused, unused]), false);
  });

  it('begins anew with a connection', () => {
    assert.equal(idleAfter([unused, unused, { ...unused, connections: 1 }, unused, unused]), false);
  });

  it('begins anew with a line of output', () => {
    assert.equal(idleAfter([unused, unused, { ...unused, outputEnd: 11 }, { ...unused, outputEnd: 11 }]), false);
  });

  it('is never idle where connections cannot be seen', () => {
    assert.equal(idleAfter(Array.from({ length: 20 }, () => ({ ...unused, connections: null }))), false);
  });
});

describe('watchIdle', () => {
  it('tells that the service is idle', async () => {
    const ended = new AbortController();
    let at = 0;
    let told = false;
    watchIdle({
      idleStopMs: () => 1_000,
      sample: async () => unused,
      signal: ended.signal,
      onIdle: () => (told = true),
      now: () => (at += 300),
      interval: () => 1,
    });
    await until('the verdict', () => told);
    ended.abort();
    assert.equal(told, true);
  });

  it('does not count the time during which idle stop was off', async () => {
    const ended = new AbortController();
    let at = 0;
    let looks = 0;
    const told: number[] = [];
    watchIdle({
      idleStopMs: () => (looks < 5 ? null : 1_000),
      sample: async () => unused,
      signal: ended.signal,
      onIdle: () => told.push(at),
      now: () => (at += 300),
      interval: () => {
        looks += 1;
        return 1;
      },
    });
    await until('the verdict', () => told.length > 0);
    ended.abort();
    assert.equal((told[0] ?? 0) > 5 * 300 + 1_000, true);
  });
});
