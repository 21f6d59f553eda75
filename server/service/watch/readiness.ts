import type { ProbeResult } from '../probes/types.ts';
import { type Attempt, attemptWithin } from './attempt.ts';
import { pause } from './pause.ts';

export interface ReadinessWatch {
  readonly attempt: Attempt;
  /** The attempt waits for the answer by itself: it is made once and has the whole wait. */
  readonly patient: boolean;
  readonly intervalMs: number;
  /** The whole wait. */
  readonly timeoutMs: number;
  /** Aborted when the incarnation ended or nobody wants to know any more; nothing is told from then on. */
  readonly signal: AbortSignal;
  readonly onReady: (result: ProbeResult) => void;
  /** Told with the last answer that there was. */
  readonly onTimeout: (last: ProbeResult) => void;
}

/**
 * Asks until the first success or the end of the wait, at first after 50 ms, then after twice the time each, up to the
 * interval: most servers are up in a moment, and a slow one must not be asked all the time.
 */
export function watchReadiness(watch: ReadinessWatch): void {
  void ask(watch);
}

/** For a service without a probe: it is ready when it has stayed up for `forMs`. */
export function watchSteadiness(forMs: number, signal: AbortSignal, onReady: () => void): void {
  void pause(forMs, signal).then((passed) => {
    if (passed && !signal.aborted) onReady();
  });
}

async function ask(watch: ReadinessWatch): Promise<void> {
  const { attempt, patient, intervalMs, timeoutMs, signal } = watch;
  const deadline = performance.now() + timeoutMs;
  // A timer may be a part of a millisecond early.
  const left = (): number => Math.max(0, Math.floor(deadline - performance.now()));
  let last: ProbeResult = { ok: false, detail: 'was not asked yet' };
  for (let asked = 0; ; asked += 1) {
    const limit = patient ? left() : Math.min(left(), LONGEST_ATTEMPT_MS);
    const answer = await attemptWithin(attempt, limit, signal);
    if (signal.aborted) return;
    if (answer.ok) return watch.onReady(answer);
    // The last attempt may have been cut short by the end of the wait, and says nothing then.
    if (asked === 0 || left() > 0) last = answer;
    const rest = left();
    if (rest <= 0) return watch.onTimeout(last);
    if (!(await pause(Math.min(pauseAfter(asked, intervalMs), rest), signal))) return;
    if (left() <= 0) return watch.onTimeout(last);
  }
}

/** Pause after the attempt of this number, counted from 0. */
export function pauseAfter(asked: number, intervalMs: number): number {
  return Math.min(intervalMs, FIRST_PAUSE_MS * 2 ** Math.min(asked, MOST_DOUBLINGS));
}

const FIRST_PAUSE_MS = 50;
const MOST_DOUBLINGS = 20;
/** A server that accepted the request and hangs is asked again; it may have been in the middle of starting. */
const LONGEST_ATTEMPT_MS = 5_000;
