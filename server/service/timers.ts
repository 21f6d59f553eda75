import type { TimerName } from './policy/types.ts';

/** Longest delay that a Node timer takes; a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The timers that the policy arms, at most one of a name. */
export class PolicyTimers {
  readonly #timers = new Map<TimerName, { readonly timeout: NodeJS.Timeout; readonly dueAt: number }>();

  arm(name: TimerName, delayMs: number, fire: () => void): void {
    this.disarm(name);
    const delay = Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS);
    const timeout = setTimeout(() => {
      this.#timers.delete(name);
      fire();
    }, delay);
    this.#timers.set(name, { timeout, dueAt: Math.round(Date.now() + delay) });
  }

  disarm(name: TimerName): void {
    clearTimeout(this.#timers.get(name)?.timeout);
    this.#timers.delete(name);
  }

  /** Epoch milliseconds, for showing; `null` when it is not armed. */
  dueAt(name: TimerName): number | null {
    return this.#timers.get(name)?.dueAt ?? null;
  }
}
