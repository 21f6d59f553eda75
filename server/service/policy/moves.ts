/** Ways from one state into another that several handlers take: the new state and what the shell is to do for it. */
import { type CrashDecision, recordCrash } from '../restartCore.ts';
import { failureText } from './describe.ts';
import {
  type BackoffState,
  type Failure,
  factsOf,
  type RunningState,
  type ServiceFacts,
  type ServiceState,
  type Step,
  type StepContext,
  type StopPurpose,
} from './state.ts';
import type { ExitCause, ServiceAction, StopReason } from './types.ts';

const NOTHING: readonly ServiceAction[] = [];

export function stay(state: ServiceState): Step {
  return { state, actions: NOTHING };
}

/** The next incarnation, asked for by somebody. */
export function spawn(facts: ServiceFacts, { now }: StepContext, before: readonly ServiceAction[] = NOTHING): Step {
  const incarnation = facts.incarnation + 1;
  return {
    state: { ...factsOf(facts), name: 'starting', incarnation, launched: false, startedAt: now, warnedBytes: null },
    actions: [...before, { type: 'spawn', incarnation }],
  };
}

/** The next incarnation, decided by the policy. */
export function respawn(facts: ServiceFacts, context: StepContext): Step {
  return spawn({ ...facts, restarts: facts.restarts + 1 }, context);
}

/** The tree is empty: waits for what is left of the delay. */
export function awaitRespawn(state: Omit<BackoffState, 'name' | 'reaping'>, context: StepContext): Step {
  const { respawnAt, delayMs, reason, message, incarnation } = state;
  if (!isAhead(respawnAt, context.now, delayMs)) return respawn(state, context);
  return {
    state: { ...factsOf(state), name: 'backoff', reaping: false, respawnAt, delayMs, reason, message },
    actions: [{ type: 'arm', timer: 'respawn', at: respawnAt, incarnation }],
  };
}

/** `false` too when `at` is further off than it ever was: the clock was set back, and nobody is to wait for that. */
export function isAhead(at: number, now: number, span: number): boolean {
  return at > now && at - now <= span;
}

/** What ends with the leader, or before it is ended: watching, and the recovery timer. */
export function unwatch(state: RunningState): ServiceAction[] {
  const ended: ServiceAction = { type: 'unwatch', incarnation: state.incarnation };
  const recovering = state.name === 'ready' && state.recoverAt !== null;
  return recovering ? [{ type: 'disarm', timer: 'recovery' }, ended] : [ended];
}

/** Ends a running incarnation; `before` is told first. */
export function terminate(
  state: RunningState,
  facts: ServiceFacts,
  purpose: StopPurpose,
  cause: ExitCause,
  before: readonly ServiceAction[] = NOTHING,
): Step {
  const { incarnation, startedAt } = state;
  return {
    state: { ...factsOf(facts), name: 'stopping', startedAt, purpose, cause, exitedAt: null },
    actions: [
      ...unwatch(state),
      ...before,
      stopping(incarnation, reasonOf(purpose, cause)),
      { type: 'terminate', incarnation },
    ],
  };
}

export function stopping(incarnation: number, reason: StopReason): ServiceAction {
  return { type: 'journal', entry: { event: 'service_stopping', incarnation, reason } };
}

function reasonOf(purpose: StopPurpose, cause: ExitCause): StopReason {
  if (cause === 'memory_drain' || cause === 'wedged' || cause === 'readiness_timeout') return cause;
  if (purpose.kind === 'stop' && purpose.because === 'idle') return 'idle';
  return purpose.kind === 'restart' ? 'restart' : 'stop';
}

export function fail(facts: ServiceFacts, failure: Failure, before: readonly ServiceAction[] = NOTHING): Step {
  const state = { ...factsOf(facts), name: 'failed', failure } as const;
  const { reason } = failure.why;
  const event = reason === 'survivors' || reason === 'not_restarted' ? 'service_failed' : 'breaker_open';
  return { state, actions: [...before, { type: 'journal', entry: { event, reason, text: failureText(state) } }] };
}

/** `survivors` (how many) outlived their end: whatever was to follow, nothing is started beside them. */
export function failForSurvivors(
  facts: ServiceFacts,
  failure: Failure | null,
  found: { readonly confirmed: number; readonly survivors: number },
): Step {
  const spent = failure !== null && failure.why.reason !== 'not_restarted';
  const why = spent ? failure.why : ({ reason: 'survivors' } as const);
  return fail(facts, { why, message: failure?.message ?? null, ...found });
}

/** A crash as it is counted: the facts afterwards, and whether that was the last one. */
export function countCrash(
  facts: ServiceFacts,
  message: string | null,
  { now, settings, random }: StepContext,
): { readonly facts: ServiceFacts; readonly delayMs: number; readonly failure: Failure | null } {
  const decision = recordCrash(facts.accounting, now, settings, random);
  const { accounting, delayMs } = decision;
  const why = whyNoRespawn(decision, settings);
  const failure = why === null ? null : { why, message, confirmed: 0, survivors: 0 };
  return { facts: { ...factsOf(facts), accounting }, delayMs, failure };
}

function whyNoRespawn({ accounting, spent }: CrashDecision, settings: StepContext['settings']): Failure['why'] | null {
  switch (spent) {
    case 'crashes':
      return { reason: spent, count: accounting.crashes, windowMs: settings.crashes.windowMs };
    case 'slow':
      return { reason: spent, count: accounting.slow.length, windowMs: settings.slow.windowMs };
    case null:
      return settings.policy === 'no' ? { reason: 'not_restarted' } : null;
    default:
      return spent satisfies never;
  }
}
