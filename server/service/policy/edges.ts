/** Every way from one state to another, as a table; the picture above `step` is drawn from it, and a test drives it. */
import type { ServiceEvent, ServiceStateName } from './types.ts';

export interface Edge {
  readonly from: ServiceStateName;
  readonly event: ServiceEvent['type'];
  readonly to: ServiceStateName;
  /** The guard, where the event alone does not decide. */
  readonly when: string;
}

/** Whatever is not here changes neither the state nor the incarnation, though it may change the state's data. */
export const EDGES: readonly Edge[] = [
  edge('stopped', 'start', 'starting'),
  edge('stopped', 'restart', 'starting'),
  edge('stopped', 'adopted', 'starting', 'it had not been ready'),
  edge('stopped', 'adopted', 'ready', 'it had been ready'),

  edge('starting', 'probe_ready', 'ready'),
  edge('starting', 'probe_ready', 'degraded', 'memory is over its warning level'),
  edge('starting', 'spawn_failed', 'backoff', 'a crash'),
  edge('starting', 'spawn_failed', 'starting', 'a crash, and no delay is set'),
  edge('starting', 'spawn_failed', 'failed', 'a budget is spent, or `restart: no`'),
  edge('starting', 'exited', 'backoff', 'a crash, or code 0 under `always`; reaps'),
  edge('starting', 'exited', 'stopping', 'a budget is spent, or no restart is wanted; reaps'),
  edge('starting', 'readiness_timeout', 'stopping', 'a crash; terminates'),
  edge('starting', 'memory', 'stopping', 'over: a drain; terminates'),
  edge('starting', 'stop', 'stopping', 'terminates'),
  edge('starting', 'restart', 'stopping', 'terminates'),

  edge('ready', 'live', 'degraded', 'a failure'),
  edge('ready', 'live', 'stopping', 'the only failure allowed: a wedge; terminates'),
  edge('ready', 'memory', 'degraded', 'warn'),
  edge('ready', 'memory', 'stopping', 'over: a drain; terminates'),
  edge('ready', 'exited', 'backoff', 'a crash, or code 0 under `always`; reaps'),
  edge('ready', 'exited', 'stopping', 'a budget is spent, or no restart is wanted; reaps'),
  edge('ready', 'idle', 'stopping', 'terminates'),
  edge('ready', 'stop', 'stopping', 'terminates'),
  edge('ready', 'restart', 'stopping', 'terminates'),

  edge('degraded', 'live', 'ready', 'a success, and memory is not the reason'),
  edge('degraded', 'live', 'stopping', 'the last failure allowed: a wedge; terminates'),
  edge('degraded', 'memory', 'ready', 'ok, and liveness is not the reason'),
  edge('degraded', 'memory', 'stopping', 'over: a drain; terminates'),
  edge('degraded', 'exited', 'backoff', 'a crash, or code 0 under `always`; reaps'),
  edge('degraded', 'exited', 'stopping', 'a budget is spent, or no restart is wanted; reaps'),
  edge('degraded', 'idle', 'stopping', 'terminates'),
  edge('degraded', 'stop', 'stopping', 'terminates'),
  edge('degraded', 'restart', 'stopping', 'terminates'),

  edge('backoff', 'timer', 'starting', 'respawn'),
  edge('backoff', 'emptied', 'starting', 'the delay is over, or there is none'),
  edge('backoff', 'emptied', 'failed', 'with survivors'),
  edge('backoff', 'stop', 'stopped', 'the tree is proven empty'),
  edge('backoff', 'stop', 'stopping', 'it is being reaped'),
  edge('backoff', 'restart', 'starting', 'the tree is proven empty'),
  edge('backoff', 'restart', 'stopping', 'it is being reaped'),

  edge('stopping', 'emptied', 'stopped', 'stop, idle'),
  edge('stopping', 'emptied', 'starting', 'restart, drain, wedge'),
  edge('stopping', 'emptied', 'backoff', 'readiness timeout'),
  edge('stopping', 'emptied', 'completed', 'code 0 where no restart is wanted'),
  edge('stopping', 'emptied', 'failed', 'a budget is spent, a crash under `restart: no`, or survivors'),

  edge('failed', 'reset', 'stopped'),
  edge('failed', 'start', 'starting', 'no budget is spent and nothing survived'),
  edge('failed', 'restart', 'starting', 'no budget is spent and nothing survived'),
  edge('failed', 'adopted', 'stopping', 'terminates, to fail again'),

  edge('completed', 'start', 'starting'),
  edge('completed', 'restart', 'starting'),
  edge('completed', 'adopted', 'stopping', 'terminates, to complete again'),
];

function edge(from: ServiceStateName, event: ServiceEvent['type'], to: ServiceStateName, when = ''): Edge {
  return { from, event, to, when };
}
