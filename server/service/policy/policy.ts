import { whileBackingOff } from './backoff.ts';
import { whileCompleted, whileFailed, whileStopped } from './rest.ts';
import { whileDegraded, whileReady, whileStarting } from './running.ts';
import type { ServicePolicySettings, ServiceState, Step } from './state.ts';
import { whileStopping } from './stopping.ts';
import type { ServiceEvent } from './types.ts';

export type { ServicePolicySettings, ServiceState, Step } from './state.ts';
export { initialState, isWanted, needsReset, policySettings, stateName } from './state.ts';

/*
The states of a service, and every event that leads from one to another; `edges.ts` is the same as a table, and a test
holds picture, table and code together. A crash is an exit that was neither asked for nor clean, a failed start or a
readiness timeout. `backoff` first reaps what the last incarnation left, within its delay.

┌───────────┐
│ stopped   ├─ start ─────────────► starting
│           ├─ restart ───────────► starting
│           ├─ adopted ───────────► starting   it had not been ready
│           ├─ adopted ───────────► ready      it had been ready
└───────────┘
┌───────────┐
│ starting  ├─ probe_ready ───────► ready
│           ├─ probe_ready ───────► degraded   memory is over its warning level
│           ├─ spawn_failed ──────► backoff    a crash
│           ├─ spawn_failed ──────► starting   a crash, and no delay is set
│           ├─ spawn_failed ──────► failed     a budget is spent, or `restart: no`
│           ├─ exited ────────────► backoff    a crash, or code 0 under `always`; reaps
│           ├─ exited ────────────► stopping   a budget is spent, or no restart is wanted; reaps
│           ├─ readiness_timeout ─► stopping   a crash; terminates
│           ├─ memory ────────────► stopping   over: a drain; terminates
│           ├─ stop ──────────────► stopping   terminates
│           ├─ restart ───────────► stopping   terminates
└───────────┘
┌───────────┐
│ ready     ├─ live ──────────────► degraded   a failure
│           ├─ live ──────────────► stopping   the only failure allowed: a wedge; terminates
│           ├─ memory ────────────► degraded   warn
│           ├─ memory ────────────► stopping   over: a drain; terminates
│           ├─ exited ────────────► backoff    a crash, or code 0 under `always`; reaps
│           ├─ exited ────────────► stopping   a budget is spent, or no restart is wanted; reaps
│           ├─ idle ──────────────► stopping   terminates
│           ├─ stop ──────────────► stopping   terminates
│           ├─ restart ───────────► stopping   terminates
└───────────┘
┌───────────┐
│ degraded  ├─ live ──────────────► ready      a success, and memory is not the reason
│           ├─ live ──────────────► stopping   the last failure allowed: a wedge; terminates
│           ├─ memory ────────────► ready      ok, and liveness is not the reason
│           ├─ memory ────────────► stopping   over: a drain; terminates
│           ├─ exited ────────────► backoff    a crash, or code 0 under `always`; reaps
│           ├─ exited ────────────► stopping   a budget is spent, or no restart is wanted; reaps
│           ├─ idle ──────────────► stopping   terminates
│           ├─ stop ──────────────► stopping   terminates
│           ├─ restart ───────────► stopping   terminates
└───────────┘
┌───────────┐
│ backoff   ├─ timer ─────────────► starting   respawn
│           ├─ emptied ───────────► starting   the delay is over, or there is none
│           ├─ emptied ───────────► failed     with survivors
│           ├─ stop ──────────────► stopped    the tree is proven empty
│           ├─ stop ──────────────► stopping   it is being reaped
│           ├─ restart ───────────► starting   the tree is proven empty
│           ├─ restart ───────────► stopping   it is being reaped
└───────────┘
┌───────────┐
│ stopping  ├─ emptied ───────────► stopped    stop, idle
│           ├─ emptied ───────────► starting   restart, drain, wedge
│           ├─ emptied ───────────► backoff    readiness timeout
│           ├─ emptied ───────────► completed  code 0 where no restart is wanted
│           ├─ emptied ───────────► failed     a budget is spent, a crash under `restart: no`, or survivors
└───────────┘
┌───────────┐
│ failed    ├─ reset ─────────────► stopped
│           ├─ start ─────────────► starting   no budget is spent and nothing survived
│           ├─ restart ───────────► starting   no budget is spent and nothing survived
│           ├─ adopted ───────────► stopping   terminates, to fail again
└───────────┘
┌───────────┐
│ completed ├─ start ─────────────► starting
│           ├─ restart ───────────► starting
│           ├─ adopted ───────────► stopping   terminates, to complete again
└───────────┘
*/

/**
 * What `event` makes of a service in `state` at `now` (epoch milliseconds), and what the shell is to do, in order.
 * Pure: `random` (0 up to 1) is the jitter's. Other settings may be given with every step; they count from then on.
 * Nothing is ever spawned before what ran last was answered with `emptied` and no survivors.
 */
export function step(
  state: ServiceState,
  event: ServiceEvent,
  now: number,
  settings: ServicePolicySettings,
  random: () => number,
): Step {
  if (isStale(state, event)) return { state, actions: [] };
  const context = { now, settings, random };
  switch (state.name) {
    case 'stopped':
      return whileStopped(state, event, context);
    case 'starting':
      return whileStarting(state, event, context);
    case 'ready':
      return whileReady(state, event, context);
    case 'degraded':
      return whileDegraded(state, event, context);
    case 'backoff':
      return whileBackingOff(state, event, context);
    case 'stopping':
      return whileStopping(state, event, context);
    case 'failed':
      return whileFailed(state, event, context);
    case 'completed':
      return whileCompleted(state, event, context);
    default:
      return state satisfies never;
  }
}

/** It speaks of an incarnation that is over. `adopted` brings its own number in. */
function isStale(state: ServiceState, event: ServiceEvent): boolean {
  return 'incarnation' in event && event.type !== 'adopted' && event.incarnation !== state.incarnation;
}
