import { type ConnectResult, connect, type SupervisorClient } from './client.ts';
import type { Locate } from './locate.ts';
import type { HelloParams, Notifications } from './protocol.ts';
import { beginSearch, type ClientEnd, judgeAttempt, judgeSight, pauseBefore, type SearchLimits } from './reconnect.ts';

export interface SearchOptions {
  /** As whom a successor is greeted. */
  readonly hello: HelloParams['client'];
  readonly locate: Locate;
  /** Read at every look. */
  readonly limits: () => SearchLimits;
  /** For tests. */
  readonly connect?: (
    endpoint: string,
    hello: HelloParams['client'],
    options: { readonly timeoutMs: number },
  ) => Promise<ConnectResult>;
}

export interface Lost {
  readonly pid: number;
  readonly farewell: Notifications['closing'] | null;
}

export type SearchResult =
  | { readonly kind: 'found'; readonly client: SupervisorClient }
  | { readonly kind: 'end'; readonly end: ClientEnd };

/** A supervisor that does not answer `hello` may be one that is only slow; it is asked again. */
const HELLO_PATIENCE_MS = 5_000;

/**
 * Looks for the supervisor that has taken the place of `lost` until there is one, or is none for certain. `onLoss` is
 * called when it is seen that the workspace was not left in good order. An aborted search ends with `closed`.
 */
export async function findSuccessor(
  lost: Lost,
  options: SearchOptions,
  signal: AbortSignal,
  onLoss: () => void,
): Promise<SearchResult> {
  const { locate, hello, connect: open = connect } = options;
  let search = beginSearch(lost.pid, performance.now(), lost.farewell);
  let told = false;
  for (let look = 0; !signal.aborted; look += 1) {
    const sight = await locate();
    if (sight.kind === 'dead_holder' && !told) {
      told = true;
      onLoss();
    }
    let verdict = judgeSight(search, sight, performance.now(), options.limits());
    if (verdict.do === 'connect') {
      search = verdict.search;
      const { holder } = verdict;
      const opened = await open(holder.endpoint, hello, { timeoutMs: HELLO_PATIENCE_MS });
      if (opened.ok) {
        if (!signal.aborted) return { kind: 'found', client: opened.client };
        opened.client.close();
        break;
      }
      verdict = judgeAttempt(search, holder, opened.failure, performance.now(), options.limits());
    }
    if (verdict.do === 'end') return { kind: 'end', end: verdict.end };
    search = verdict.search;
    await pause(pauseBefore(look), signal);
  }
  return { kind: 'end', end: { kind: 'closed' } };
}

/** Ends early when `signal` aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener('abort', over);
  });
}
