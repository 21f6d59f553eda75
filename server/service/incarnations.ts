import type { ManagedService } from './service.ts';

/** What somebody has seen of services: the number of each one's last start. */
export type Incarnations = Readonly<Record<string, number>>;

/** What a configuration in force still asks for: services as they were before it, by their incarnations. */
export interface UnfinishedChange {
  readonly restart: Incarnations;
  readonly start: Incarnations;
}

export function incarnationsOf(services: readonly ManagedService[]): Incarnations {
  return Object.fromEntries(services.map((service) => [service.name, service.incarnation]));
}

/** Those of which nothing newer was started. */
export function asSeen(services: ReadonlyMap<string, ManagedService>, seen: Incarnations): ManagedService[] {
  return Object.entries(seen).flatMap(([name, incarnation]) => {
    const service = services.get(name);
    return service === undefined || service.incarnation > incarnation ? [] : service;
  });
}
