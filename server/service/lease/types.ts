/** The leases of client sessions, as the policy sees them: states, events, actions. */
import type { ProcessIdentity } from '../../process/types.ts';
import type { SessionHolder } from '../../store/types.ts';

/**
 * How a lease stands.
 *
 * - `held`: a connection of its session is open.
 * - `lingering`: none is, but a process of the session still lives: a terminal that was suspended, a window that has
 *   not found the successor of its supervisor yet.
 * - `leaving`: neither; when the grace is over, so is the lease. Who comes back before has lost nothing.
 * - `ending`: what the session started is being reaped. Whoever comes meanwhile begins anew when that is done.
 */
export type Hold =
  | { readonly name: 'held'; readonly connections: number }
  | { readonly name: 'lingering' }
  | { readonly name: 'leaving'; readonly since: number }
  | { readonly name: 'ending'; readonly connections: number; readonly claimed: boolean };

export interface Lease {
  readonly session: string;
  readonly holder: SessionHolder;
  /** No client of it has been seen yet: it may still be on its way from a supervisor that was lost. */
  readonly unseen: boolean;
  /** Processes that spoke for the session and are not known to be gone. */
  readonly processes: readonly ProcessIdentity[];
  readonly hold: Hold;
}

export type LeaseState = ReadonlyMap<string, Lease>;

interface Claimant {
  readonly session: string;
  readonly holder: SessionHolder;
  readonly process: ProcessIdentity | null;
}

export type LeaseEvent =
  | ({ readonly type: 'connected' } & Claimant)
  | { readonly type: 'disconnected'; readonly session: string }
  /** Something belongs to the session: on record at the start of a successor, or by the word of another client. */
  | ({ readonly type: 'claimed' } & Claimant)
  /** A process of the session was looked for and is gone, a zombie, or another one has its pid. */
  | { readonly type: 'process_gone'; readonly session: string; readonly process: ProcessIdentity }
  | { readonly type: 'time_passed' }
  | { readonly type: 'reaped'; readonly session: string };

export interface LeaseSettings {
  /** `idle.grace`. */
  readonly graceMs: number;
  /** How long clients of a supervisor that was lost take to find its successor: the least grace of the unseen. */
  readonly returnMs: number;
}

/** End what the session started, or hand it over; `reaped` says that it is done. */
export interface LeaseAction {
  readonly type: 'reap';
  readonly session: string;
}
