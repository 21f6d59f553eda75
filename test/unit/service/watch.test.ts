import assert from 'node:assert/strict';
import type { ProbeResult } from '../../../server/service/probes/types.ts';
import { attemptWithin } from '../../../server/service/watch/attempt.ts';
import { watchLiveness } from '../../../server/service/watch/liveness.ts';
import { pause, untilNextTick } from '../../../server/service/watch/pause.ts';
import { pauseAfter, watchReadiness, watchSteadiness } from '../../../server/service/watch/readiness.ts';
import { until } from '../../support/until.ts';

const yes: ProbeResult = { ok: true, detail: 'there' };
const no: ProbeResult = { ok: false, detail: 'not there' };

type Told = { kind: 'ready' | 'timeout'; detail: string };

function readiness(
  attempt: (signal: AbortSignal) => Promise<ProbeResult>,
  options: { timeoutMs?: number; intervalMs?: number; signal?: AbortSignal; patient?: boolean } = {},
): { told: Promise<Told>; all: Told[] } {
  const all: Told[] = [];
  const told = new Promise<Told>((resolve) => {
    const tell = (kind: Told['kind']) => (result: ProbeResult) => {
      all.push({ kind, detail: result.detail });
      resolve({ kind, detail: result.detail });
    };
    watchReadiness({
      attempt,
      patient: options.patient ?? false,
      intervalMs: options.intervalMs ?? 5,
      timeoutMs: options.timeoutMs ?? 5_000,
      signal: options.signal ?? new AbortController().signal,
      onReady: tell('ready'),
      onTimeout: tell('timeout'),
    });
  });
  return { told, all };
}

describe('watchReadiness', () => {
  it('tells the first success', async () => {
    let asked = 0;
    const { told } = readiness(async () => {
      asked += 1;
      return asked === 3 ? yes : no;
    });
    assert.deepEqual(await told, { kind: 'ready', detail: 'there' });
  });

  it('asks at 50, 100, 200 and 400 ms, then at the interval', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 1000].map((asked) => pauseAfter(asked, 500)),
      [50, 100, 200, 400, 500, 500, 500],
    );
  });

  it('tells what the last answer was when the wait is over', async () => {
    const { told } = readiness(async () => no, { timeoutMs: 30 });
    assert.deepEqual(await told, { kind: 'timeout', detail: 'not there' });
  });

  it('ends an attempt that never answers with the wait', async () => {
    const { told } = readiness(() => new Promise(() => {}), { timeoutMs: 30 });
    assert.match((await told).detail, /^no answer within/);
  });

  it('tells nothing once the incarnation has ended, and ends the attempt (R22)', async () => {
    const ended = new AbortController();
    const attempted: AbortSignal[] = [];
    const { all } = readiness(
      (signal) => {
        attempted.push(signal);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(yes)));
      },
      { signal: ended.signal },
    );
    await until('the attempt', () => attempted[0]);
    ended.abort();
    await until('the end of the attempt', () => attempted[0]?.aborted);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(all, []);
  });

  it('makes a patient attempt once and leaves it the whole wait', async () => {
    let asked = 0;
    const { told } = readiness(
      () => {
        asked += 1;
        return new Promise(() => {});
      },
      { patient: true, timeoutMs: 120, intervalMs: 1 },
    );
    await told;
    assert.equal(asked, 1);
  });

  it('tells what a patient attempt saw when the wait is over', async () => {
    const { told } = readiness(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(no), { once: true })),
      { patient: true, timeoutMs: 30 },
    );
    assert.deepEqual(await told, { kind: 'timeout', detail: 'not there' });
  });

  it('takes an error inside a probe for a failed probe', async () => {
    let asked = 0;
    const { told } = readiness(async () => {
      asked += 1;
      if (asked === 1) throw new Error('broken');
      return yes;
    });
    assert.equal((await told).kind, 'ready');
  });
});

describe('watchSteadiness', () => {
  it('tells that the time has passed', async () => {
    const steady = new Promise<string>((resolve) => {
      watchSteadiness(5, new AbortController().signal, () => resolve('steady'));
    });
    assert.equal(await steady, 'steady');
  });

  it('tells nothing after the end', async () => {
    const ended = new AbortController();
    let told = false;
    watchSteadiness(5, ended.signal, () => (told = true));
    ended.abort();
    await pause(20, new AbortController().signal);
    assert.equal(told, false);
  });
});

describe('watchLiveness', () => {
  it('never asks again before the last question is answered', async () => {
    const ended = new AbortController();
    let open = 0;
    let most = 0;
    let answers = 0;
    watchLiveness({
      attempt: async () => {
        open += 1;
        most = Math.max(most, open);
        await pause(15, new AbortController().signal);
        open -= 1;
        return yes;
      },
      settings: () => ({ intervalMs: 1, timeoutMs: 1_000 }),
      signal: ended.signal,
      onResult: () => (answers += 1),
    });
    await until('three answers', () => answers >= 3);
    ended.abort();
    assert.equal(most, 1);
  });

  it('reports a question without answer as a failure and asks again', async () => {
    const ended = new AbortController();
    const results: ProbeResult[] = [];
    watchLiveness({
      attempt: () => new Promise(() => {}),
      settings: () => ({ intervalMs: 1, timeoutMs: 10 }),
      signal: ended.signal,
      onResult: (result) => results.push(result),
    });
    await until('two failures', () => results.length >= 2);
    ended.abort();
    assert.deepEqual(results[1], { ok: false, detail: 'no answer within 10 ms' });
  });
});

describe('attemptWithin', () => {
  it('leaves no listener on the signal of the incarnation after 1000 attempts (R34)', async () => {
    const { signal } = new AbortController();
    let added = 0;
    let removed = 0;
    const counted = Object.assign(Object.create(signal) as AbortSignal, {});
    Object.defineProperties(counted, {
      aborted: { value: false },
      addEventListener: { value: () => (added += 1) },
      removeEventListener: { value: () => (removed += 1) },
    });
    for (let turn = 0; turn < 1000; turn += 1) await attemptWithin(async () => yes, 1_000, counted);
    assert.deepEqual([added, removed], [1000, 1000]);
  });

  it('aborts the attempt when its time is over', async () => {
    const attempted: AbortSignal[] = [];
    const { signal } = new AbortController();
    const hang = (own: AbortSignal): Promise<ProbeResult> => {
      attempted.push(own);
      return new Promise(() => {});
    };
    await attemptWithin(hang, 5, signal);
    assert.equal(attempted[0]?.aborted, true);
  });
});

describe('untilNextTick', () => {
  it('brings watches of one interval to the same moment', () => {
    const ends = [1_000_100, 1_002_000, 1_005_900].map((now) => now + untilNextTick(now, 15_000));
    assert.deepEqual(ends, [1_020_000, 1_020_000, 1_020_000]);
  });

  it('is at least half an interval away', () => {
    for (let now = 0; now < 30_000; now += 111) assert.equal(untilNextTick(now, 15_000) >= 7_500, true);
  });
});
