/** Where an `up` stands, judged from the status alone. Pure. */
import type { ServiceStatus, StatusResult } from '../../api/protocol.ts';

export type Verdict =
  /** Something is still on its way. */
  | { readonly kind: 'coming' }
  /** Nothing is on its way. `notReady` is empty when all is well. */
  | { readonly kind: 'settled'; readonly notReady: readonly ServiceStatus[] };

/** `wanted`: names that the `up` asked for; services that they need are watched through them. */
export function judgeUp(status: StatusResult, wanted: ReadonlySet<string>): Verdict {
  const services = status.services.filter((service) => wanted.has(service.name));
  if (services.some((service) => stage(service) === 'coming')) return { kind: 'coming' };
  return { kind: 'settled', notReady: services.filter((service) => stage(service) === 'not-ready') };
}

/**
 * Nothing moves although something waits: it waits for an entry that itself waits for one that cannot come. Such a
 * stillness may also be the moment between two steps of the supervisor, so the caller lets it last before it believes it.
 */
export function isStill(status: StatusResult): boolean {
  const moving = status.services.some(
    (service) => service.state === 'starting' || service.state === 'backoff' || service.state === 'stopping',
  );
  return !moving && !status.runs.some((run) => run.state === 'running');
}

/** Everything wanted has come to rest: nothing of it runs or is planned. */
export function allAtRest(status: StatusResult, wanted: ReadonlySet<string>): boolean {
  const services = status.services.filter((service) => wanted.has(service.name));
  return services.every((service) => {
    if (service.state === 'stopped') return service.blockedBy !== null || !isWaiting(service);
    return service.state === 'failed' || service.state === 'completed';
  });
}

/** Runs, or is planned to, and was not asked for by this command. */
export function othersRunning(status: StatusResult, mine: ReadonlySet<string>): boolean {
  const services = status.services.some((service) => !mine.has(service.name) && !isAtRest(service));
  return services || status.runs.some((run) => run.state === 'running');
}

function isAtRest(service: ServiceStatus): boolean {
  return service.state === 'stopped' || service.state === 'failed' || service.state === 'completed';
}

/** A stopped service that was asked for says what it waits for; one that nobody wants to run says nothing. */
function isWaiting(service: ServiceStatus): boolean {
  return service.state === 'stopped' && service.blockedBy === null && (service.detail ?? '').startsWith('waits for');
}

function stage(service: ServiceStatus): 'coming' | 'ready' | 'not-ready' {
  switch (service.state) {
    case 'ready':
    case 'degraded':
    case 'completed':
      return 'ready';
    case 'failed':
      return 'not-ready';
    case 'starting':
    case 'backoff':
    case 'stopping':
      return 'coming';
    case 'stopped':
      return isWaiting(service) ? 'coming' : 'not-ready';
    default:
      return service.state satisfies never;
  }
}
