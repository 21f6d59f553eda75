/** Handlers of the states in which nothing runs and nothing is planned. */
import { reset } from '../restartCore.ts';
import { spawn, stay, stopping } from './moves.ts';
import { becomeReady } from './running.ts';
import {
  type CompletedState,
  type FailedState,
  factsOf,
  needsReset,
  type ServiceFacts,
  type StartingState,
  type Step,
  type StepContext,
  type StopPurpose,
  type StoppedState,
} from './state.ts';
import type { ServiceAction, ServiceEvent } from './types.ts';

type Adopted = Extract<ServiceEvent, { type: 'adopted' }>;

export function whileStopped(state: StoppedState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'start':
    case 'restart':
      return spawn(state, context);
    case 'adopted':
      return adopt(state, event, context);
    case 'stop':
    case 'reset':
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'emptied':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'live':
    case 'memory':
    case 'idle':
    case 'timer':
      return stay(state);
    default:
      return event satisfies never;
  }
}

export function whileCompleted(state: CompletedState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'start':
    case 'restart':
      return spawn(state, context);
    case 'adopted':
      return endAdopted(state, event, { kind: 'complete' }, context);
    case 'stop':
    case 'reset':
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'emptied':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'live':
    case 'memory':
    case 'idle':
    case 'timer':
      return stay(state);
    default:
      return event satisfies never;
  }
}

export function whileFailed(state: FailedState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'start':
    case 'restart':
      return needsReset(state) ? stay(state) : spawn(state, context);
    case 'reset':
      return {
        state: { ...factsOf(state), name: 'stopped', because: null, restarts: 0, accounting: reset() },
        actions: [{ type: 'journal', entry: { event: 'breaker_reset' } }],
      };
    case 'adopted':
      return endAdopted(state, event, { kind: 'fail', failure: state.failure }, context);
    case 'stop':
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'emptied':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'live':
    case 'memory':
    case 'idle':
    case 'timer':
      return stay(state);
    default:
      return event satisfies never;
  }
}

function adopt(facts: ServiceFacts, event: Adopted, context: StepContext): Step {
  const { incarnation } = event;
  const state: StartingState = {
    ...factsOf(facts),
    name: 'starting',
    incarnation,
    launched: true,
    startedAt: event.startedAt ?? context.now,
    warnedBytes: null,
  };
  if (event.ready) return becomeReady(state, context, [adoption(incarnation)]);
  return { state, actions: [adoption(incarnation), { type: 'watch', incarnation, what: 'readiness' }] };
}

/** The supervisor was killed while it ended this tree for good: what is left of it is not to be kept. */
function endAdopted(facts: ServiceFacts, event: Adopted, purpose: StopPurpose, { now }: StepContext): Step {
  const { incarnation, startedAt = now } = event;
  const cause = 'requested_stop';
  return {
    state: { ...factsOf(facts), name: 'stopping', incarnation, startedAt, purpose, cause, exitedAt: null },
    actions: [adoption(incarnation), stopping(incarnation, 'taken_over'), { type: 'terminate', incarnation }],
  };
}

function adoption(incarnation: number): ServiceAction {
  return { type: 'journal', entry: { event: 'adopted', incarnation } };
}
