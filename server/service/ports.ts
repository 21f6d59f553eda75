import { identify } from '../process/identity.ts';
import { describePortHolder, findFreePort, isPortTaken, type PortOwner, portOwner } from '../process/ports.ts';
import { reapTree } from '../process/termination.ts';
import type { WorkspaceHost } from './host.ts';

export type PortChoice =
  | { readonly ok: true; readonly port: number | null }
  | { readonly ok: false; readonly message: string };

/**
 * The port for the next incarnation, reserved under `holder`. `auto` keeps the one it had, so that an open page finds
 * the service again after a restart. A port that another process listens on is a failure that says whose it is; only
 * what is proven to be a leftover of this workspace (our marker, in no registered tree) is cleared.
 */
export async function choosePort(
  host: WorkspaceHost,
  holder: string,
  wanted: 'auto' | number | null,
  previous: number | null,
): Promise<PortChoice> {
  // The configuration may ask for another one than the last incarnation had.
  if (previous !== null && wanted !== 'auto' && wanted !== previous) host.ports.release(previous, holder);
  if (wanted === null) return { ok: true, port: null };
  if (wanted === 'auto') {
    if (previous !== null && host.ports.reserve(previous, holder) && !(await isPortTaken(previous))) {
      return { ok: true, port: previous };
    }
    if (previous !== null) host.ports.release(previous, holder);
    for (;;) {
      const port = await findFreePort(host.ports.reserved);
      if (host.ports.reserve(port, holder)) return { ok: true, port };
    }
  }
  if (!host.ports.reserve(wanted, holder)) {
    return { ok: false, message: `port ${wanted} is reserved for ${host.ports.holder(wanted)} of this workspace` };
  }
  if (!(await isPortTaken(wanted))) return { ok: true, port: wanted };
  const owner = await portOwner(wanted);
  if (owner !== null && isLeftover(host, owner) && (await clearLeftover(host, owner)) && !(await isPortTaken(wanted))) {
    return { ok: true, port: wanted };
  }
  host.ports.release(wanted, holder);
  const ours = owner?.marker?.startsWith(`${host.id}/`) === true;
  return {
    ok: false,
    message: `port ${wanted} is taken${owner === null ? ', by whom cannot be seen' : `: ${describePortHolder(owner, ours)}`}`,
  };
}

function isLeftover(host: WorkspaceHost, owner: PortOwner): boolean {
  if (owner.marker === null || !owner.marker.startsWith(`${host.id}/`)) return false;
  return !host.registry.records().some((record) => record.tree.marker === owner.marker);
}

async function clearLeftover(host: WorkspaceHost, owner: PortOwner): Promise<boolean> {
  if (owner.pid === null || owner.marker === null) return false;
  const leader = identify(owner.pid);
  if (leader === null) return true;
  const proof = await reapTree({ leader, keeper: null, group: 0, session: 0, marker: owner.marker });
  host.journal('tree_reaped', {
    name: owner.marker.split('/').slice(1, -2).join('/'),
    confirmed: proof.confirmed.length,
    survivors: proof.survivors.map(({ identity, reason }) => ({ ...identity, reason })),
    reason: 'leftover_held_port',
  });
  return proof.survivors.length === 0;
}
