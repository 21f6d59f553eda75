/** What clients are shown of a service: `ps --json`, to the letter of DESIGN 9; fields beyond it are additions. */
import type { OwnerKind } from './owners.ts';
import type { LastExit, ServiceStateName } from './policy/types.ts';

export interface ServiceStatus {
  readonly name: string;
  readonly kind: string;
  readonly state: ServiceStateName;
  readonly pid: number | null;
  readonly incarnation: number;
  readonly restarts: number;
  readonly crashes: number;
  readonly lastExit: LastExit | null;
  readonly memoryMb: number | null;
  readonly port: number | null;
  readonly url: string | null;
  /** `configuration` or the session's name. */
  readonly owner: string;
  /** What stands behind the owner. */
  readonly ownerKind: OwnerKind;
  readonly readyAt: number | null;
  readonly log: string;
  /** One line for a person: why it waits, when it respawns, why it failed. `null` when there is nothing to say. */
  readonly detail: string | null;
  readonly startedAt: number | null;
  /** Epoch milliseconds of the next respawn while in `backoff`. */
  readonly respawnAt: number | null;
  /** It was asked for, and the entry named here cannot meet the condition that it waits for. */
  readonly blockedBy: string | null;
  /** In `failed`: the whole text, with the last lines of output and the command that goes on. */
  readonly failure: string | null;
  readonly enabled: boolean;
  /** Byte offset in `log` where the current incarnation's output begins. */
  readonly outputOffset: number;
}
