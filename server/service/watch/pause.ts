/** Resolves with `true` after `ms`, with `false` at once when `signal` is aborted. Keeps no process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const finish = (value: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(value);
    };
    const stop = (): void => finish(false);
    const timer = setTimeout(() => finish(true), Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    timer.unref();
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** A longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Time from `now` to the next moment that is a multiple of `intervalMs`, so that all watches of one interval look at
 * the same moment and share one reading of the process table. At least half an interval away.
 */
export function untilNextTick(now: number, intervalMs: number): number {
  const rest = intervalMs - (now % intervalMs);
  return rest < intervalMs / 2 ? rest + intervalMs : rest;
}
