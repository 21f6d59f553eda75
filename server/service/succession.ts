/** What the registry keeps of a service between two supervisors: what its policy knows, and whose it is. */
import { parseOwner } from '../store/treeRecord.ts';
import type { Owner } from '../store/types.ts';
import { type RestoredService, restore, snapshot } from './policy/snapshot.ts';
import type { ServiceState } from './policy/state.ts';

/** Plain JSON. */
export function remembered(state: ServiceState, owner: Owner): unknown {
  return { ...snapshot(state), owner };
}

/** `null` for what `remembered` cannot have given. Without an owner it is the configuration's. */
export function recall(json: unknown): (RestoredService & { readonly owner: Owner }) | null {
  const restored = restore(json);
  if (restored === null) return null;
  return { ...restored, owner: parseOwner((json as { owner?: unknown }).owner) ?? { kind: 'configuration' } };
}
