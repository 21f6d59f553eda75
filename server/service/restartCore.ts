/**
 * Restart accounting: what an end counts as, and whether there may be another start. Pure, so that services and the
 * supervisor itself (watched by the extension) are restarted by the same rules.
 *
 * Four budgets, because one kind of trouble must not hide behind another (R58, R65, R70): crashes (a fast breaker that
 * recovery refills, and a slow one that it does not), clean restarts, memory drains and wedges.
 *
 * Times are epoch milliseconds. A clock that was set back counts as no time passed: every stored time that lies in the
 * future is moved to now when something is recorded. So a jump back can neither free a spent budget nor hold an old
 * event in a window for longer than that window. A jump forward (suspend, too) ages windows early; the breaker's own
 * count then restarts at 1, which costs a few restarts more and never an endless loop.
 */
import type { BudgetConfig, RestartConfig } from '../config/model.ts';

/** What is remembered of one service; plain JSON, since a successor continues with it. */
export interface Accounting {
  /** Crashes in a row, each within the breaker's window of the one before; recovery sets it to 0. */
  readonly crashes: number;
  readonly lastCrashAt: number | null;
  /** Times of crashes in the slow window, oldest first; recovery leaves them. */
  readonly slow: readonly number[];
  readonly clean: readonly number[];
  /** The last clean exit was over its budget: the warning was given. */
  readonly cleanSlowed: boolean;
  readonly drains: readonly number[];
  readonly wedges: readonly number[];
}

/** The numbers of `restart` in the configuration, without the policy. */
export type RestartLimits = Omit<RestartConfig, 'policy'>;

/** The budgets that end in `failed`. */
export type BudgetName = 'crashes' | 'slow' | 'drains' | 'wedges';

export interface CrashDecision {
  readonly accounting: Accounting;
  /** `null`: another start is allowed, after `delayMs` from the end. */
  readonly spent: 'crashes' | 'slow' | null;
  readonly delayMs: number;
}

export interface CleanDecision {
  readonly accounting: Accounting;
  readonly delayMs: number;
  /** Over the budget. */
  readonly slowed: boolean;
  /** It went over the budget just now; said once until it was within it again. */
  readonly warn: boolean;
}

export interface BudgetDecision {
  readonly accounting: Accounting;
  readonly spent: boolean;
}

/** What a clean restart waits when its budget is spent: one start a second. */
export const SLOWED_CLEAN_DELAY_MS = 1000;

/** The most that is added to a delay, so that services that crashed together do not come back together. */
const JITTER = 0.2;

export function emptyAccounting(): Accounting {
  return { crashes: 0, lastCrashAt: null, slow: [], clean: [], cleanSlowed: false, drains: [], wedges: [] };
}

/** An end that nobody asked for and that was not clean. `random` gives 0 up to 1. */
export function recordCrash(
  before: Accounting,
  now: number,
  limits: RestartLimits,
  random: () => number,
): CrashDecision {
  const accounting = rebase(before, now);
  const { lastCrashAt } = accounting;
  const inRow = lastCrashAt !== null && now - lastCrashAt <= limits.crashes.windowMs;
  const crashes = inRow ? accounting.crashes + 1 : 1;
  const slow = withinWindow([...accounting.slow, now], now, limits.slow);
  const delayMs = backoffDelay(crashes, limits.backoff, random);
  const spent = crashes >= limits.crashes.count ? 'crashes' : slow.length > limits.slow.count ? 'slow' : null;
  return { accounting: { ...accounting, crashes, lastCrashAt: now, slow }, spent, delayMs };
}

/** Exit 0 of something that is to keep running: no crash is added and none is forgiven (R53). */
export function recordCleanExit(before: Accounting, now: number, limits: RestartLimits): CleanDecision {
  const accounting = rebase(before, now);
  const clean = withinWindow([...accounting.clean, now], now, limits.clean);
  const slowed = clean.length > limits.clean.count;
  return {
    accounting: { ...accounting, clean, cleanSlowed: slowed },
    delayMs: slowed ? SLOWED_CLEAN_DELAY_MS : 0,
    slowed,
    warn: slowed && !accounting.cleanSlowed,
  };
}

/** Memory went over its limit. The drain after `count` in the window is the one that spends the budget. */
export function recordDrain(before: Accounting, now: number, limits: RestartLimits): BudgetDecision {
  const accounting = rebase(before, now);
  const drains = withinWindow([...accounting.drains, now], now, limits.drains);
  return { accounting: { ...accounting, drains }, spent: drains.length > limits.drains.count };
}

/** Liveness was lost. Likewise. */
export function recordWedge(before: Accounting, now: number, limits: RestartLimits): BudgetDecision {
  const accounting = rebase(before, now);
  const wedges = withinWindow([...accounting.wedges, now], now, limits.wedges);
  return { accounting: { ...accounting, wedges }, spent: wedges.length > limits.wedges.count };
}

/** Long enough in `ready`: crash count and delay go back to 0, and nothing else does (R58, R59). */
export function recordRecovery(accounting: Accounting): Accounting {
  return { ...accounting, crashes: 0, lastCrashAt: null };
}

/** A person says that it may start again. */
export function reset(): Accounting {
  return emptyAccounting();
}

/** Milliseconds to wait after the `crashes`-th crash in a row (1 is the first). */
export function backoffDelay(crashes: number, backoff: RestartLimits['backoff'], random: () => number): number {
  // Beyond 2^52 the product is no whole number any more, and at 2^1024 times 0 it would be NaN.
  const doublings = Math.min(Math.max(0, crashes - 1), 52);
  const delay = Math.min(backoff.initialMs * 2 ** doublings, backoff.maxMs);
  return Math.round(delay * (1 + JITTER * random()));
}

/** What is left of a budget now, for the doctor: events counted in the window, as of `now`. */
export function budgetUse(
  accounting: Accounting,
  now: number,
  limits: RestartLimits,
): Record<BudgetName | 'clean', number> {
  const { crashes, lastCrashAt, slow, clean, drains, wedges } = rebase(accounting, now);
  const inRow = lastCrashAt !== null && now - lastCrashAt <= limits.crashes.windowMs;
  return {
    crashes: inRow ? crashes : 0,
    slow: withinWindow(slow, now, limits.slow).length,
    clean: withinWindow(clean, now, limits.clean).length,
    drains: withinWindow(drains, now, limits.drains).length,
    wedges: withinWindow(wedges, now, limits.wedges).length,
  };
}

/** Of `times` (oldest first) those in the window; one more than `count` is all that is ever needed to decide. */
function withinWindow(times: readonly number[], now: number, budget: BudgetConfig): number[] {
  return times.filter((at) => now - at <= budget.windowMs).slice(-(budget.count + 1));
}

function rebase(accounting: Accounting, now: number): Accounting {
  const { lastCrashAt, slow, clean, drains, wedges } = accounting;
  const past = (times: readonly number[]): readonly number[] =>
    (times.at(-1) ?? now) <= now ? times : times.map((at) => Math.min(at, now));
  return {
    ...accounting,
    lastCrashAt: lastCrashAt === null ? null : Math.min(lastCrashAt, now),
    slow: past(slow),
    clean: past(clean),
    drains: past(drains),
    wedges: past(wedges),
  };
}
