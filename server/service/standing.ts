/** How a service stands towards those who look at it: at rest, towards a condition, at a URL. */
import type { DependencyCondition, ServiceConfig } from '../config/model.ts';
import type { ConditionState } from './dependencies.ts';
import type { ServiceStateName } from './policy/types.ts';

/** States in which nothing runs and nothing is planned. */
export function isRest(state: ServiceStateName): boolean {
  switch (state) {
    case 'stopped':
    case 'failed':
    case 'completed':
      return true;
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'backoff':
    case 'stopping':
      return false;
    default:
      return state satisfies never;
  }
}

/** What runs of it is to go on running; a tree that is being ended meets no condition. */
function goesOn(state: ServiceStateName): boolean {
  return state === 'starting' || state === 'ready' || state === 'degraded';
}

/** How a service stands towards a dependent's condition. What waits to start counts as hopeless here. */
export function conditionOf(
  { name, enabled }: Pick<ServiceConfig, 'name' | 'enabled'>,
  state: ServiceStateName,
  hasTree: boolean,
  condition: DependencyCondition,
): ConditionState {
  switch (condition) {
    case 'ready':
      return standing(name, enabled, state, state === 'ready' || state === 'degraded');
    case 'started':
      return standing(name, enabled, state, (hasTree && goesOn(state)) || state === 'completed');
    case 'completed':
      return standing(name, enabled, state, state === 'completed');
    case 'succeeded':
      return { kind: 'hopeless', because: `${name} is a service and cannot succeed` };
    default:
      return condition satisfies never;
  }
}

function standing(name: string, enabled: boolean, state: ServiceStateName, met: boolean): ConditionState {
  if (met) return { kind: 'met' };
  switch (state) {
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'backoff':
    case 'stopping':
      return { kind: 'coming' };
    case 'stopped':
      return {
        kind: 'hopeless',
        because: enabled ? `${name} is stopped` : `${name} is not enabled, and was not asked for by name`,
      };
    case 'failed':
      return { kind: 'hopeless', because: `${name} has failed` };
    case 'completed':
      return { kind: 'hopeless', because: `${name} has completed` };
    default:
      return state satisfies never;
  }
}

/** Where a person would look at it; `null` for what speaks no HTTP. */
export function serviceUrl(config: ServiceConfig, port: number | null): string | null {
  if (port === null || config.kind === 'lsp') return null;
  const speaksHttp = config.kind !== 'service' || config.ready?.probe.kind === 'http';
  return speaksHttp ? `http://localhost:${port}/` : null;
}
