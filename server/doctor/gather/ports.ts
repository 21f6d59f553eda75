import type { ServiceConfig } from '../../config/model.ts';
import { describePortHolder, portOwner } from '../../process/ports.ts';
import type { PortFacts, TreeFacts } from '../facts.ts';

/** Ports that trees have reserved, and those that the configuration names for services that do not run. */
export function lookAtPorts(
  trees: readonly TreeFacts[],
  services: ReadonlyMap<string, ServiceConfig>,
): Promise<PortFacts[]> {
  const wanted = trees.flatMap(({ record, members }) =>
    record.ports.map((port) => ({ port, name: record.name, pids: members.map((one) => one.identity.pid) })),
  );
  for (const { name, port, enabled } of services.values()) {
    const known = wanted.some((one) => one.name === name && one.port === port);
    if (typeof port === 'number' && enabled && !known) wanted.push({ port, name, pids: [] });
  }
  return Promise.all(
    wanted.map(async ({ port, name, pids }) => {
      const owner = await portOwner(port);
      const ours = owner?.pid != null && pids.includes(owner.pid);
      return { port, name, owner, ours, words: owner === null ? null : describePortHolder(owner, ours) };
    }),
  );
}
