/** What the registry keeps of a service, so that a successor goes on with its budgets and with what was wanted of it. */
import type { Accounting, BudgetName } from '../restartCore.ts';
import {
  type BackoffReason,
  type BackoffState,
  type Failure,
  type FailureReason,
  factsOf,
  isWanted,
  type ServiceFacts,
  type ServiceState,
} from './state.ts';
import type { ExitCause, LastExit } from './types.ts';

/** Plain JSON. A tree that runs is not in it: the registry records trees, and `adopted` brings them in. */
export interface ServiceSnapshot extends ServiceFacts {
  readonly version: 1;
  readonly wanted: boolean;
  readonly keepable: boolean;
  readonly rest: 'stopped' | 'failed' | 'completed';
  readonly failure: Failure | null;
  /** The leader's end is accounted for; only its tree may not be proven empty yet. */
  readonly exitTold: boolean;
  readonly respawn: Respawn | null;
}

/** When the next incarnation is due. */
type Respawn = Pick<BackoffState, 'respawnAt' | 'delayMs' | 'reason' | 'message'>;

export interface RestoredService {
  readonly state: ServiceState;
  /** It ran, or was about to: where no tree of it is found, `start` it. */
  readonly wanted: boolean;
  /**
   * A tree of `state.incarnation` was to go on running. Otherwise it was being ended, and why is in the budgets already:
   * after `adopted` ask for `restart` (if wanted) or `stop`, so that its end is not counted a second time.
   */
  readonly keepable: boolean;
  /** A tree of `state.incarnation` that is adopted all the same tells of an end that is in the journal already. */
  readonly exitTold: boolean;
  /** Where no tree is found: take this for the state, and `emptied` makes it wait for what is left of its delay. */
  readonly waiting: BackoffState | null;
}

export function snapshot(state: ServiceState): ServiceSnapshot {
  const failure = failureOf(state);
  const completed = state.name === 'completed' || (state.name === 'stopping' && state.purpose.kind === 'complete');
  const rest = failure !== null ? 'failed' : completed ? 'completed' : 'stopped';
  const exitTold = state.name === 'backoff' || (state.name === 'stopping' && state.exitedAt !== null);
  const wanted = isWanted(state);
  const facts = { version: 1, ...factsOf(state), wanted, keepable: isKeepable(state), rest, failure } as const;
  return { ...facts, exitTold, respawn: state.name === 'backoff' ? respawnOf(state) : null };
}

/** `null` for anything that `snapshot` cannot have written: the file is someone's who could write it, or torn. */
export function restore(json: unknown): RestoredService | null {
  if (!isRecord(json) || json.version !== 1 || typeof json.wanted !== 'boolean') return null;
  if (typeof json.keepable !== 'boolean') return null;
  const accounting = readAccounting(json.accounting);
  const lastExit = json.lastExit === null ? null : readLastExit(json.lastExit);
  const { incarnation, restarts, rest, wanted, keepable } = json;
  if (accounting === null || lastExit === undefined || !isCount(incarnation) || !isCount(restarts)) return null;
  const facts: ServiceFacts = { incarnation, restarts, lastExit, accounting };
  const respawn = readRespawn(json.respawn);
  const waiting: BackoffState | null = respawn && { ...facts, name: 'backoff', reaping: true, ...respawn };
  const common = { wanted, keepable, exitTold: json.exitTold === true, waiting };
  switch (rest) {
    case 'stopped':
      return json.failure === null ? { state: { ...facts, name: 'stopped', because: null }, ...common } : null;
    case 'completed':
      return json.failure === null ? { state: { ...facts, name: 'completed' }, ...common } : null;
    case 'failed': {
      const failure = readFailure(json.failure);
      return failure === null ? null : { state: { ...facts, name: 'failed', failure }, ...common };
    }
    default:
      return null;
  }
}

function isKeepable(state: ServiceState): boolean {
  switch (state.name) {
    case 'starting':
    case 'ready':
    case 'degraded':
      return true;
    case 'stopped':
    case 'backoff':
    case 'stopping':
    case 'failed':
    case 'completed':
      return false;
    default:
      return state satisfies never;
  }
}

function failureOf(state: ServiceState): Failure | null {
  if (state.name === 'failed') return state.failure;
  return state.name === 'stopping' && state.purpose.kind === 'fail' ? state.purpose.failure : null;
}

/** `null` for what is none. */
export function readAccounting(json: unknown): Accounting | null {
  if (!isRecord(json)) return null;
  const { crashes, lastCrashAt, slow, clean, cleanSlowed, drains, wedges } = json;
  if (!isCount(crashes) || !(lastCrashAt === null || isTime(lastCrashAt)) || typeof cleanSlowed !== 'boolean')
    return null;
  if (!isTimes(slow) || !isTimes(clean) || !isTimes(drains) || !isTimes(wedges)) return null;
  return { crashes, lastCrashAt, slow, clean, cleanSlowed, drains, wedges };
}

/** `undefined` for what is none. */
function readLastExit(json: unknown): LastExit | undefined {
  if (!isRecord(json)) return undefined;
  const { code, signal, at, cause } = json;
  if (!(code === null || Number.isSafeInteger(code)) || !(signal === null || isSignal(signal))) return undefined;
  if (!isTime(at) || !isCause(cause)) return undefined;
  return { code: code as number | null, signal, at, cause };
}

function readFailure(json: unknown): Failure | null {
  if (!isRecord(json)) return null;
  const why = readReason(json.why);
  const { message, confirmed, survivors } = json;
  if (why === null || !(message === null || typeof message === 'string')) return null;
  if (!isCount(confirmed) || !isCount(survivors)) return null;
  return { why, message, confirmed, survivors };
}

function readReason(json: unknown): FailureReason | null {
  if (!isRecord(json)) return null;
  const { reason, count, windowMs } = json;
  if (reason === 'not_restarted' || reason === 'survivors') return { reason };
  if (!isBudget(reason) || !isCount(count) || !isTime(windowMs)) return null;
  return { reason, count, windowMs };
}

function respawnOf({ respawnAt, delayMs, reason, message }: BackoffState): Respawn {
  return { respawnAt, delayMs, reason, message };
}

/** What is missing or no respawn costs a delay, never the service. */
function readRespawn(json: unknown): Respawn | null {
  if (!isRecord(json)) return null;
  const { respawnAt, delayMs, reason, message } = json;
  if (!isTime(respawnAt) || !isTime(delayMs) || !isBackoffReason(reason)) return null;
  return { respawnAt, delayMs, reason, message: typeof message === 'string' ? message : null };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** The schema allows budgets of 1000; a longer list was not written by `snapshot`. */
const MOST_TIMES = 1001;

function isTimes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MOST_TIMES && value.every(isTime);
}

function isSignal(value: unknown): value is NodeJS.Signals {
  return typeof value === 'string' && /^SIG[A-Z0-9+]{1,12}$/.test(value);
}

const BACKOFF_REASONS: Readonly<Record<BackoffReason, true>> = {
  crash: true,
  clean_exit: true,
  clean_budget_exceeded: true,
};

function isBackoffReason(value: unknown): value is BackoffReason {
  return typeof value === 'string' && Object.hasOwn(BACKOFF_REASONS, value);
}

const BUDGETS: Readonly<Record<BudgetName, true>> = { crashes: true, slow: true, drains: true, wedges: true };

function isBudget(value: unknown): value is BudgetName {
  return typeof value === 'string' && Object.hasOwn(BUDGETS, value);
}

const CAUSES: Readonly<Record<ExitCause, true>> = {
  clean_exit: true,
  runtime_error: true,
  requested_stop: true,
  oom_or_external_kill: true,
  memory_drain: true,
  wedged: true,
  spawn_failure: true,
  readiness_timeout: true,
  unknown: true,
};

function isCause(value: unknown): value is ExitCause {
  return typeof value === 'string' && Object.hasOwn(CAUSES, value);
}
