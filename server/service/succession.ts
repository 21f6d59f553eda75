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

/** What holds for the one tree that is adopted next, beyond its record. */
export interface Inherited {
  /** It was being ended when its supervisor died, and why is in its budgets already. */
  readonly next: 'restart' | 'stop' | null;
  /** Its end is in the journal and the budgets; the exit record would tell it a second time. */
  readonly exitTold: boolean;
}

export const NOTHING_INHERITED: Inherited = { next: null, exitTold: false };

export function inheritedOf({ keepable, wanted, exitTold }: RestoredService): Inherited {
  return { next: keepable ? null : wanted ? 'restart' : 'stop', exitTold };
}
