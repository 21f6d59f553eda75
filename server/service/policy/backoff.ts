/** Handler of the state between two incarnations. */
import { awaitRespawn, failForSurvivors, isAhead, respawn, spawn, stay } from './moves.ts';
import { type BackoffState, factsOf, type Step, type StepContext, type StopPurpose } from './state.ts';
import type { ServiceAction, ServiceEvent } from './types.ts';

export function whileBackingOff(state: BackoffState, event: ServiceEvent, context: StepContext): Step {
  switch (event.type) {
    case 'stop':
      return stopWaiting(state);
    case 'restart':
      return respawnNow(state, context);
    case 'emptied': {
      if (!state.reaping) return stay(state);
      const { confirmed, survivors } = event;
      if (survivors > 0) return failForSurvivors(state, null, { confirmed, survivors });
      return awaitRespawn(state, context);
    }
    case 'timer':
      if (event.timer !== 'respawn' || state.reaping) return stay(state);
      if (!isAhead(state.respawnAt, context.now, state.delayMs)) return respawn(state, context);
      return {
        state,
        actions: [{ type: 'arm', timer: 'respawn', at: state.respawnAt, incarnation: state.incarnation }],
      };
    // A start that nobody needs to repeat: it will run again by itself. Spawning now is what `restart` asks for, so
    // that a client which asks for `start` again and again cannot undo the delay.
    case 'start':
    case 'reset':
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'probe_ready':
    case 'readiness_timeout':
    case 'live':
    case 'memory':
    case 'idle':
    case 'adopted':
      return stay(state);
    default:
      return event satisfies never;
  }
}

const disarm: ServiceAction = { type: 'disarm', timer: 'respawn' };

function stopWaiting(state: BackoffState): Step {
  if (state.reaping) return reapThen(state, { kind: 'stop', because: null });
  return { state: { ...factsOf(state), name: 'stopped', because: null }, actions: [disarm] };
}

/** The delay is given up; the proof that the tree is empty is not. */
function respawnNow(state: BackoffState, context: StepContext): Step {
  if (state.reaping) return reapThen(state, { kind: 'restart' });
  return spawn(state, context, [disarm]);
}

/** The tree is being reaped already; only what follows is another. */
function reapThen(state: BackoffState, purpose: StopPurpose): Step {
  const exitedAt = state.respawnAt - state.delayMs;
  return {
    state: { ...factsOf(state), name: 'stopping', startedAt: exitedAt, purpose, cause: 'requested_stop', exitedAt },
    actions: [],
  };
}
