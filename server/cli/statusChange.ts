import type { Notifications, StatusResult } from '../api/protocol.ts';

/** The status after a `changed` notification. Services keep their order; new ones come last. */
export function mergeChange(status: StatusResult, change: Notifications['changed']): StatusResult {
  const services = new Map(status.services.map((service) => [service.name, service]));
  for (const service of change.services) services.set(service.name, service);
  for (const name of change.removed) services.delete(name);
  const runs = new Map(status.runs.map((run) => [run.id, run]));
  for (const run of change.runs) runs.set(run.id, run);
  return { ...status, services: [...services.values()], runs: [...runs.values()] };
}
