/** What the registry keeps of a service between two supervisors: what its policy knows, and whose it is. */
import { outputEndNow } from '../process/output/index.ts';
import type { Owner } from '../store/types.ts';
import { parseOwners } from './owners.ts';
import { type RestoredService, restore, snapshot } from './policy/snapshot.ts';
import type { BackoffState, ServiceState } from './policy/state.ts';
import type { LastExit } from './policy/types.ts';

/** Plain JSON. With a start that is about to be launched goes where its output will begin in `log`. */
export function remembered({ state, lastExit }: ServiceMemory, owners: readonly Owner[], log: string): unknown {
  const isLaunching = state.name === 'starting' && !state.launched;
  return { ...snapshot(state), lastExit, owners, ...(isLaunching ? { outputOffset: outputEndNow(log) } : {}) };
}

/** A service's state, and its last exit with the time that a clock on the wall showed. */
interface ServiceMemory {
  readonly state: ServiceState;
  readonly lastExit: LastExit | null;
}

/** What is left of a delay: never more than the whole of it, whatever happened to the clocks in between. */
export function stillWaiting(waiting: BackoffState, now: number): BackoffState {
  return { ...waiting, respawnAt: Math.min(waiting.respawnAt, now + waiting.delayMs) };
}

export interface Recalled extends RestoredService {
  readonly owners: readonly Owner[];
  /** Where the output of a start that was about to be launched begins. */
  readonly outputOffset: number;
}

/** `null` for what `remembered` cannot have given. Without owners it is the configuration's. */
export function recall(json: unknown): Recalled | null {
  const restored = restore(json);
  if (restored === null) return null;
  const { owners, outputOffset } = json as { owners?: unknown; outputOffset?: unknown };
  const offset = typeof outputOffset === 'number' && outputOffset > 0 ? outputOffset : 0;
  return { ...restored, owners: parseOwners(owners), outputOffset: offset };
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
