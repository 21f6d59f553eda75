/** Handler of the state in which a tree is being ended. */
import { recordExit } from './exits.ts';
import { awaitRespawn, fail, failForSurvivors, respawn, spawn, stay } from './moves.ts';
import {
  factsOf,
  isRestarting,
  type ServiceState,
  type Step,
  type StepContext,
  type StopPurpose,
  type StoppingState,
} from './state.ts';
import type { ServiceAction, ServiceEvent } from './types.ts';

export function whileStopping(state: StoppingState, event: ServiceEvent, context: StepContext): Step {
  const { incarnation } = state;
  switch (event.type) {
    case 'stop':
      return isRestarting(state.purpose) ? changePurpose(state, { kind: 'stop', because: null }) : stay(state);
    case 'start':
      return isRestarting(state.purpose) ? stay(state) : startAgain(state);
    case 'restart':
      return startAgain(state);
    // The launch was under way when the end was asked for.
    case 'spawned':
      if (state.exitedAt !== null) return stay(state);
      return {
        state: { ...state, startedAt: context.now },
        actions: [{ type: 'journal', entry: { event: 'service_spawned', incarnation } }],
      };
    case 'spawn_failed': {
      const { crashes } = state.accounting;
      const { message, reason = null } = event;
      const entry = { event: 'spawn_failed', incarnation, message, reason, crashes } as const;
      return { state, actions: [{ type: 'journal', entry }] };
    }
    case 'exited':
      return state.exitedAt === null ? exited(state, event, context) : stay(state);
    case 'emptied':
      return emptied(state, event, context);
    case 'reset':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'live':
    case 'memory':
    case 'idle':
    case 'timer':
    case 'adopted':
      return stay(state);
    default:
      return event satisfies never;
  }
}

function changePurpose(state: StoppingState, purpose: StopPurpose): Step {
  return { state: { ...state, purpose }, actions: [] };
}

/** What has spent a budget fails, whatever is asked of it meanwhile. */
function startAgain(state: StoppingState): Step {
  const { purpose } = state;
  if (purpose.kind === 'fail' && purpose.failure.why.reason !== 'not_restarted') return stay(state);
  return changePurpose(state, { kind: 'restart' });
}

/** Ended because it was asked to: never a crash of its own, whatever the code (R56). */
function exited(state: StoppingState, event: Extract<ServiceEvent, { type: 'exited' }>, { now }: StepContext): Step {
  const { facts, entry } = recordExit(state, event.status, state.cause, state.startedAt, now);
  return { state: { ...state, lastExit: facts.lastExit, exitedAt: now }, actions: [entry] };
}

function emptied(
  state: StoppingState,
  { confirmed, survivors }: Extract<ServiceEvent, { type: 'emptied' }>,
  context: StepContext,
): Step {
  const { purpose } = state;
  if (survivors > 0) {
    return failForSurvivors(state, purpose.kind === 'fail' ? purpose.failure : null, { confirmed, survivors });
  }
  switch (purpose.kind) {
    case 'stop':
      return rest({ ...factsOf(state), name: 'stopped', because: purpose.because });
    case 'complete':
      return rest({ ...factsOf(state), name: 'completed' });
    case 'fail':
      return fail(state, { ...purpose.failure, confirmed });
    case 'restart':
      return spawn(state, context);
    case 'respawn':
      return respawn(state, context);
    case 'backoff': {
      const { delayMs, message } = purpose;
      const { crashes } = state.accounting;
      const told: ServiceAction = {
        type: 'journal',
        entry: { event: 'backoff', ms: delayMs, reason: 'crash', crashes, limit: context.settings.crashes.count },
      };
      const respawnAt = (state.exitedAt ?? context.now) + delayMs;
      const next = awaitRespawn({ ...factsOf(state), respawnAt, delayMs, reason: 'crash', message }, context);
      return { state: next.state, actions: [told, ...next.actions] };
    }
    default:
      return purpose satisfies never;
  }
}

function rest(state: ServiceState): Step {
  return { state, actions: [] };
}
