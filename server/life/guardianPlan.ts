/** When a lost supervisor is followed by another: the rules that services are restarted by, computed in advance. */
import {
  type Accounting,
  backoffDelay,
  emptyAccounting,
  type RestartLimits,
  recordCrash,
} from '../service/restartCore.ts';

/** Tests of faults kill supervisors by the hundred, which would spend any budget. Not in what is shipped. */
const isTormented = process.env.COPPICE_FAILPOINTS !== undefined;

/** The defaults of a service. No setting: a workspace cannot weaken what holds its own supervisor up. */
export const SUPERVISOR_LIMITS: RestartLimits = {
  backoff: isTormented ? { initialMs: 50, maxMs: 100 } : { initialMs: 1_000, maxMs: 60_000 },
  crashes: { count: isTormented ? 300 : 8, windowMs: 5 * 60_000 },
  slow: { count: isTormented ? 300 : 10, windowMs: 60 * 60_000 },
  clean: { count: 10, windowMs: 60_000 },
  drains: { count: 3, windowMs: 10 * 60_000 },
  wedges: { count: 3, windowMs: 30 * 60_000 },
  recoveryMs: 60_000,
};

/** There is one supervisor a workspace: nobody is to be kept apart from. */
const NO_JITTER = (): number => 0;

/**
 * The waits before each next successor, ms, until a budget is spent. After the first loss there is none: what runs has
 * nobody to look after it.
 */
export function schedule(accounting: Accounting, now: number, limits = SUPERVISOR_LIMITS): number[] {
  const delays: number[] = [];
  for (let at = now, current = accounting; ; ) {
    const decision = recordCrash(current, at, limits, NO_JITTER);
    if (decision.spent !== null) return delays;
    current = decision.accounting;
    const delayMs = current.crashes === 1 ? 0 : backoffDelay(current.crashes - 1, limits.backoff, NO_JITTER);
    delays.push(delayMs);
    at += delayMs;
  }
}

/** Enters losses that a guardian saw. */
export function countLosses(accounting: Accounting, losses: number, now: number): Accounting {
  let current = accounting;
  for (let count = 0; count < losses; count += 1)
    current = recordCrash(current, now, SUPERVISOR_LIMITS, NO_JITTER).accounting;
  return current;
}

/**
 * What a new supervisor goes on with. One that a guardian started counts on; one that a person started goes on as well,
 * unless the guardian had given up: then the person has said that there may be another.
 */
export function inheritAccounting(
  earlier: { readonly accounting: Accounting | null; readonly gaveUp: boolean } | null,
  losses: number,
  now: number,
): Accounting {
  const before = earlier === null || (earlier.gaveUp && losses === 0) ? null : earlier.accounting;
  return countLosses(before ?? emptyAccounting(), losses, now);
}

/** Deaths of guardians in the last minute, oldest first, to the wait before the next one is started, ms. */
export function replacementDelay(deaths: readonly number[], now: number): number {
  const recent = deaths.filter((at) => now - at < REPLACEMENT_WINDOW_MS && at <= now).length;
  return recent <= FREE_REPLACEMENTS
    ? 0
    : backoffDelay(recent - FREE_REPLACEMENTS, SUPERVISOR_LIMITS.backoff, NO_JITTER);
}

export const REPLACEMENT_WINDOW_MS = 60_000;
const FREE_REPLACEMENTS = 5;
