import { ABANDONED, type ProbeResult } from '../probes/types.ts';

/** Asks something once. It is expected to end soon after the signal is aborted. */
export type Attempt = (signal: AbortSignal) => Promise<ProbeResult>;

/** Time for a probe whose time is over to say what it saw, which says more than that it was cut short. */
const LAST_WORD_MS = 50;

/**
 * One attempt, given up after `timeoutMs` or when `signal` is aborted, whether the probe itself obeys or not. Never
 * rejects: an error of a probe is a failed probe, and must not end the supervision of everything else.
 */
export function attemptWithin(attempt: Attempt, timeoutMs: number | null, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const ended = new AbortController();
    const late: ProbeResult = { ok: false, detail: `no answer within ${timeoutMs} ms` };
    let timer: NodeJS.Timeout | undefined;
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
      resolve(result === ABANDONED && !signal.aborted ? late : result);
      ended.abort();
    };
    const abandon = (): void => finish(ABANDONED);
    const wait = (ms: number, then: () => void): void => {
      timer = setTimeout(then, ms);
      timer.unref();
    };
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) return abandon();
    if (timeoutMs !== null) {
      wait(timeoutMs, () => {
        wait(LAST_WORD_MS, () => finish(late));
        ended.abort();
      });
    }
    attempt(ended.signal).then(finish, (error: unknown) => {
      finish({
        ok: false,
        detail: `the probe itself failed: ${error instanceof Error ? error.message : String(error)}`,
      });
    });
  });
}
