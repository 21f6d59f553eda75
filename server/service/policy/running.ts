/** Handlers of the states in which an incarnation runs, or is being launched. */
import type { BudgetConfig } from '../../config/model.ts';
import { formatBytes } from '../../text/units.ts';
import { recordDrain, recordRecovery, recordWedge } from '../restartCore.ts';
import { exitedByItself } from './exits.ts';
import { awaitRespawn, countCrash, fail, isAhead, stay, terminate, unwatch } from './moves.ts';
import {
  type DegradedState,
  type FailureReason,
  factsOf,
  type ReadyState,
  type RunningState,
  type StartingState,
  type Step,
  type StepContext,
} from './state.ts';
import type { ServiceAction, ServiceEvent, WarningFacts } from './types.ts';

export function whileStarting(state: StartingState, event: ServiceEvent, context: StepContext): Step {
  const { incarnation } = state;
  switch (event.type) {
    case 'spawned':
      if (state.launched) return stay(state);
      return {
        state: { ...state, launched: true, startedAt: context.now },
        actions: [
          { type: 'journal', entry: { event: 'service_spawned', incarnation } },
          { type: 'watch', incarnation, what: 'readiness' },
        ],
      };
    case 'spawn_failed':
      return state.launched ? stay(state) : launchFailed(state, event, context);
    case 'probe_ready': {
      const startupMs = Math.max(0, context.now - state.startedAt);
      return becomeReady(state, context, [
        { type: 'journal', entry: { event: 'service_ready', incarnation, startupMs } },
      ]);
    }
    case 'readiness_timeout':
      return notReadyInTime(state, event.message, context);
    case 'memory':
      if (event.level === 'over') return drain(state, event, context);
      return { state: { ...state, warnedBytes: event.level === 'warn' ? event.bytes : null }, actions: [] };
    case 'stop':
    case 'restart':
      return terminateOnRequest(state, event.type);
    case 'exited':
      return exitedByItself(state, event.status, context);
    case 'start':
    case 'reset':
    case 'emptied':
    case 'live':
    case 'idle':
    case 'timer':
    case 'adopted':
      return stay(state);
    default:
      return event satisfies never;
  }
}

export function whileReady(state: ReadyState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'live':
      return event.ok ? stay(state) : livenessFailed(state, 1, event.message, context);
    case 'memory':
      if (event.level === 'over') return drain(state, event, context);
      return event.level === 'ok' ? stay(state) : degrade(state, { warnedBytes: event.bytes }, event);
    case 'timer':
      return event.timer === 'recovery' ? recover(state, context) : stay(state);
    case 'idle':
      return terminate(state, state, { kind: 'stop', because: 'idle' }, 'requested_stop');
    case 'stop':
    case 'restart':
      return terminateOnRequest(state, event.type);
    case 'exited':
      return exitedByItself(state, event.status, context);
    case 'start':
    case 'reset':
    case 'spawned':
    case 'spawn_failed':
    case 'emptied':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'adopted':
      return stay(state);
    default:
      return event satisfies never;
  }
}

export function whileDegraded(state: DegradedState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'live':
      if (!event.ok) return livenessFailed(state, state.failedProbes + 1, event.message, context);
      return improve({ ...state, failedProbes: 0, message: null }, context);
    case 'memory':
      if (event.level === 'over') return drain(state, event, context);
      return improve({ ...state, warnedBytes: event.level === 'warn' ? event.bytes : null }, context);
    case 'idle':
      return terminate(state, state, { kind: 'stop', because: 'idle' }, 'requested_stop');
    case 'stop':
    case 'restart':
      return terminateOnRequest(state, event.type);
    case 'exited':
      return exitedByItself(state, event.status, context);
    case 'start':
    case 'reset':
    case 'spawned':
    case 'spawn_failed':
    case 'emptied':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'timer':
    case 'adopted':
      return stay(state);
    default:
      return event satisfies never;
  }
}

/** Its readiness probe answered, or had done so before it was adopted. */
export function becomeReady(state: StartingState, context: StepContext, before: readonly ServiceAction[]): Step {
  const { incarnation, warnedBytes } = state;
  const ready = enterReady(state, context);
  const actions: ServiceAction[] = [...before, { type: 'watch', incarnation, what: 'liveness' }];
  if (warnedBytes === null) return { state: ready.state, actions: [...actions, ...ready.actions] };
  const warned = degrade({ ...ready.state, recoverAt: null }, { warnedBytes });
  return { state: warned.state, actions: [...actions, ...warned.actions] };
}

/** Recovery runs from ready, not from the start (R60); without crashes there is nothing to recover from. */
function enterReady(state: RunningState, { now, settings }: StepContext): Step & { readonly state: ReadyState } {
  const { incarnation, startedAt } = state;
  const recoverAt = state.accounting.crashes > 0 ? now + settings.recoveryMs : null;
  return {
    state: { ...factsOf(state), name: 'ready', startedAt, recoverAt },
    actions: recoverAt === null ? [] : [{ type: 'arm', timer: 'recovery', at: recoverAt, incarnation }],
  };
}

/** A timer may fire a little early, and one that was disarmed may already be on its way: the time decides. */
function recover(state: ReadyState, { now, settings }: StepContext): Step {
  const { recoverAt, incarnation } = state;
  if (recoverAt === null) return stay(state);
  if (isAhead(recoverAt, now, settings.recoveryMs)) {
    return { state, actions: [{ type: 'arm', timer: 'recovery', at: recoverAt, incarnation }] };
  }
  return {
    state: { ...state, recoverAt: null, accounting: recordRecovery(state.accounting) },
    // One that was disarmed too late may be what fired, and its successor still be armed.
    actions: [{ type: 'disarm', timer: 'recovery' }],
  };
}

function degrade(
  state: ReadyState,
  why: Partial<Pick<DegradedState, 'failedProbes' | 'message' | 'warnedBytes'>>,
  facts: Pick<WarningFacts, 'failuresAllowed' | 'limitBytes'> = {},
): Step {
  const { warnedBytes = null, failedProbes = 0, message = null } = why;
  const actions: ServiceAction[] = state.recoverAt === null ? [] : [{ type: 'disarm', timer: 'recovery' }];
  const warning =
    warnedBytes === null
      ? warn('liveness_failed', message ?? '', { failures: failedProbes, failuresAllowed: facts.failuresAllowed })
      : warn('memory_warn', `the process tree uses ${formatBytes(warnedBytes)}`, {
          bytes: warnedBytes,
          limitBytes: facts.limitBytes,
        });
  const { startedAt } = state;
  return {
    state: { ...factsOf(state), name: 'degraded', startedAt, failedProbes, message, warnedBytes },
    actions: [...actions, warning],
  };
}

function improve(state: DegradedState, context: StepContext): Step {
  if (state.failedProbes > 0 || state.warnedBytes !== null) return { state, actions: [] };
  const ready = enterReady(state, context);
  const told: ServiceAction = { type: 'journal', entry: { event: 'health_ok', incarnation: state.incarnation } };
  return { state: ready.state, actions: [told, ...ready.actions] };
}

function livenessFailed(
  state: ReadyState | DegradedState,
  failedProbes: number,
  message: string,
  context: StepContext,
): Step {
  const { now, settings } = context;
  if (failedProbes < settings.failures) {
    if (state.name === 'ready')
      return degrade(state, { failedProbes, message }, { failuresAllowed: settings.failures });
    return { state: { ...state, failedProbes, message }, actions: [] };
  }
  const { accounting, spent } = recordWedge(state.accounting, now, settings);
  const why = { reason: 'wedges', count: accounting.wedges.length, windowMs: settings.wedges.windowMs } as const;
  const warning = warn('wedged', `${failedProbes} liveness probes failed in a row: ${message}`, {
    failures: failedProbes,
    failuresAllowed: settings.failures,
    ...usedOf(accounting.wedges.length, settings.wedges),
  });
  return endAndRespawn({ ...state, accounting }, spent ? why : null, 'wedged', message, warning, settings);
}

function drain(
  state: RunningState,
  { bytes, limitBytes }: Extract<ServiceEvent, { type: 'memory' }>,
  { now, settings }: StepContext,
): Step {
  const { accounting, spent } = recordDrain(state.accounting, now, settings);
  const why = { reason: 'drains', count: accounting.drains.length, windowMs: settings.drains.windowMs } as const;
  const warning = warn('memory_drain', `the process tree uses ${formatBytes(bytes)}, more than it may`, {
    bytes,
    limitBytes,
    ...usedOf(accounting.drains.length, settings.drains),
  });
  const message = `its processes held ${formatBytes(bytes)}`;
  return endAndRespawn({ ...state, accounting }, spent ? why : null, 'memory_drain', message, warning, settings);
}

/** A restart that the policy wants itself, unless its budget is spent or `restart: no` forbids it. */
function endAndRespawn(
  state: RunningState,
  spent: FailureReason | null,
  cause: 'memory_drain' | 'wedged',
  message: string | null,
  warning: ServiceAction,
  settings: StepContext['settings'],
): Step {
  const why = spent ?? (settings.policy === 'no' ? ({ reason: 'not_restarted' } as const) : null);
  const failure = why === null ? null : { why, message, confirmed: 0, survivors: 0 };
  const purpose = failure === null ? ({ kind: 'respawn' } as const) : ({ kind: 'fail', failure } as const);
  return terminate(state, state, purpose, cause, [warning]);
}

function terminateOnRequest(state: RunningState, request: 'stop' | 'restart'): Step {
  const purpose = request === 'stop' ? ({ kind: 'stop', because: null } as const) : ({ kind: 'restart' } as const);
  return terminate(state, state, purpose, 'requested_stop');
}

/** A crash of which nothing was born, so there is nothing to reap. */
function launchFailed(
  state: StartingState,
  { message, reason }: Extract<ServiceEvent, { type: 'spawn_failed' }>,
  context: StepContext,
): Step {
  const { now } = context;
  const counted = countCrash(state, message, context);
  const { failure, delayMs } = counted;
  const facts = { ...counted.facts, lastExit: { code: null, signal: null, at: now, cause: 'spawn_failure' } as const };
  const { crashes } = facts.accounting;
  const { incarnation } = state;
  const told: ServiceAction[] = [
    ...unwatch(state),
    { type: 'journal', entry: { event: 'spawn_failed', incarnation, message, reason: reason ?? null, crashes } },
  ];
  if (failure !== null) return fail(facts, failure, told);
  told.push({
    type: 'journal',
    entry: { event: 'backoff', ms: delayMs, reason: 'crash', crashes, limit: context.settings.crashes.count },
  });
  const next = awaitRespawn({ ...facts, respawnAt: now + delayMs, delayMs, reason: 'crash', message }, context);
  return { state: next.state, actions: [...told, ...next.actions] };
}

/** Counts at once, so that a stop during the termination cannot unmake it; the delay runs from the exit. */
function notReadyInTime(state: StartingState, message: string, context: StepContext): Step {
  const { facts, failure, delayMs } = countCrash(state, message, context);
  const purpose =
    failure === null ? ({ kind: 'backoff', delayMs, message } as const) : ({ kind: 'fail', failure } as const);
  return terminate(state, facts, purpose, 'readiness_timeout', [warn('readiness_timeout', message)]);
}

function usedOf(used: number, { count, windowMs }: BudgetConfig): WarningFacts {
  return { used, budget: count, windowMs };
}

function warn(reason: string, detail: string, facts: WarningFacts = {}): ServiceAction {
  return { type: 'journal', entry: { event: 'health_warn', reason, detail, ...facts } };
}
