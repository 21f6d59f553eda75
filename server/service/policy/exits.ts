/** The leader of a running service ended without having been asked to. */
import type { ExitStatus } from '../../process/types.ts';
import { formatDuration } from '../../text/units.ts';
import { recordCleanExit } from '../restartCore.ts';
import { countCrash, unwatch } from './moves.ts';
import {
  type BackoffState,
  factsOf,
  type RunningState,
  type ServiceFacts,
  type Step,
  type StepContext,
  type StopPurpose,
} from './state.ts';
import type { ExitCause, ServiceAction } from './types.ts';

export function exitedByItself(state: RunningState, status: ExitStatus, context: StepContext): Step {
  return isClean(status) ? exitedClean(state, status, context) : crashed(state, status, context);
}

/** Code 0 of its own accord; an end that nobody witnessed (null and null) or by a signal never is (R55). */
export function isClean({ code, signal }: ExitStatus): boolean {
  return code === 0 && signal === null;
}

/** What an exit that nobody asked for most likely comes from. */
export function likelyCause({ code, signal }: ExitStatus): ExitCause {
  if (signal === null) return code === null ? 'unknown' : code === 0 ? 'clean_exit' : 'runtime_error';
  if (SENT_FROM_OUTSIDE.has(signal)) return 'oom_or_external_kill';
  return OWN_FAULTS.has(signal) ? 'runtime_error' : 'unknown';
}

/** The entry for the journal, and the facts that remember it. */
export function recordExit(
  facts: ServiceFacts,
  status: ExitStatus,
  cause: ExitCause,
  startedAt: number,
  now: number,
): { readonly facts: ServiceFacts; readonly entry: ServiceAction } {
  const { code, signal } = status;
  return {
    facts: { ...factsOf(facts), lastExit: { code, signal, at: now, cause } },
    entry: {
      type: 'journal',
      entry: {
        event: 'service_exited',
        incarnation: facts.incarnation,
        code,
        signal,
        runDurationMs: Math.max(0, now - startedAt),
        likelyCause: cause,
        crashes: facts.accounting.crashes,
      },
    },
  };
}

/** SIGKILL is what the kernel's out-of-memory killer sends; the others come from a person or a tool. */
const SENT_FROM_OUTSIDE: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** What the kernel sends to a program for what it did itself. */
const OWN_FAULTS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);

function exitedClean(state: RunningState, status: ExitStatus, context: StepContext): Step {
  const { now, settings } = context;
  const { facts, entry } = recordExit(state, status, 'clean_exit', state.startedAt, now);
  const ended = [...unwatch(state), entry];
  if (settings.policy !== 'always') return reapThenEnd(state, facts, { kind: 'complete' }, 'clean_exit', now, ended);
  const { accounting, delayMs, slowed, warn } = recordCleanExit(facts.accounting, now, settings);
  if (warn) {
    const window = formatDuration(settings.clean.windowMs);
    const detail = `exited with code 0 ${accounting.clean.length} times within ${window}; restarts are slowed down`;
    const reason = 'clean_restart_budget_exceeded';
    ended.push({ type: 'journal', entry: { event: 'health_warn', reason, detail } });
  }
  const reason = slowed ? 'clean_budget_exceeded' : 'clean_exit';
  return reapThenWait({ ...facts, accounting }, delayMs, reason, context, ended);
}

function crashed(state: RunningState, status: ExitStatus, context: StepContext): Step {
  const { now } = context;
  const cause = likelyCause(status);
  const counted = countCrash(state, null, context);
  const { facts, entry } = recordExit(counted.facts, status, cause, state.startedAt, now);
  const ended = [...unwatch(state), entry];
  const { failure } = counted;
  if (failure === null) return reapThenWait(facts, counted.delayMs, 'crash', context, ended);
  return reapThenEnd(state, facts, { kind: 'fail', failure }, cause, now, ended);
}

/** The delay runs from the exit, so reaping takes place within it. */
function reapThenWait(
  facts: ServiceFacts,
  delayMs: number,
  reason: BackoffState['reason'],
  { now, settings }: StepContext,
  before: readonly ServiceAction[],
): Step {
  const { incarnation } = facts;
  const { crashes } = facts.accounting;
  return {
    state: {
      ...factsOf(facts),
      name: 'backoff',
      reaping: true,
      respawnAt: now + delayMs,
      delayMs,
      reason,
      message: null,
    },
    actions: [
      ...before,
      { type: 'journal', entry: { event: 'backoff', ms: delayMs, reason, crashes, limit: settings.crashes.count } },
      { type: 'reap', incarnation },
    ],
  };
}

function reapThenEnd(
  state: RunningState,
  facts: ServiceFacts,
  purpose: StopPurpose,
  cause: ExitCause,
  now: number,
  before: readonly ServiceAction[],
): Step {
  return {
    state: { ...factsOf(facts), name: 'stopping', startedAt: state.startedAt, purpose, cause, exitedAt: now },
    actions: [...before, { type: 'reap', incarnation: state.incarnation }],
  };
}
