import type { StatusFeed } from './follow.ts';
import { isStill, judgeUp, type Verdict } from './verdict.ts';

/** So long must nothing move before a service that waits counts as one that waits in vain. */
const STILLNESS_MS = 1500;

export type SettleResult =
  | { readonly outcome: 'settled'; readonly verdict: Extract<Verdict, { kind: 'settled' }> }
  | { readonly outcome: 'timeout' | 'aborted' | 'gone' };

/** Waits until everything wanted is ready, or will not be. `timeoutMs` 0: for as long as it takes. */
export async function settle(
  feed: StatusFeed,
  wanted: ReadonlySet<string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SettleResult> {
  const limit = timeoutMs === 0 ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  for (;;) {
    const isSettled = (): boolean => judgeUp(feed.status, wanted).kind === 'settled';
    await feed.until(() => isSettled() || isStill(feed.status), limit);
    if (feed.closed) return { outcome: 'gone' };
    if (signal.aborted) return { outcome: 'aborted' };
    const verdict = judgeUp(feed.status, wanted);
    if (verdict.kind === 'settled') return { outcome: 'settled', verdict };
    if (limit.aborted) return { outcome: 'timeout' };
    const moved = AbortSignal.any([limit, AbortSignal.timeout(STILLNESS_MS)]);
    await feed.until(() => isSettled() || !isStill(feed.status), moved);
    if (!feed.closed && moved.aborted && !limit.aborted && isStill(feed.status) && !isSettled()) {
      const notReady = feed.status.services.filter((one) => wanted.has(one.name) && one.state === 'stopped');
      return { outcome: 'settled', verdict: { kind: 'settled', notReady } };
    }
  }
}
