import { liveness } from '../process/identity.ts';
import type { Liveness, ProcessIdentity } from '../process/types.ts';
import { AwakeClock } from '../service/lease/awakeClock.ts';
import { endOf, nextEnd, step } from '../service/lease/policy.ts';
import type { Lease, LeaseEvent, LeaseSettings, LeaseState } from '../service/lease/types.ts';
import type { SessionOwner } from '../store/types.ts';

/** Clients look for the successor of a lost supervisor for as long, once it serves. */
export const RETURN_MS = 5_000;
const LONGEST_LOOK_MS = 5_000;
const SHORTEST_LOOK_MS = 50;

export interface LeasesOptions {
  readonly graceMs: number;
  /** Milliseconds of a clock that never runs backwards. */
  readonly now: () => number;
  /** Ends what belongs to sessions that are over, or hands it over; resolves when that is done. Never rejects. */
  readonly reap: (sessions: ReadonlySet<string>) => Promise<unknown>;
  readonly lives?: (process: ProcessIdentity) => Liveness;
}

/** How one session stands, for those who ask. */
export interface LeaseStatus {
  readonly session: string;
  readonly holder: Lease['holder'];
  readonly state: Lease['hold']['name'];
  /** Milliseconds until it is over, unless somebody comes; `null` while it is not running out. */
  readonly leftMs: number | null;
}

/** The thin shell of the lease policy: its clock, its timer, and the looks at the processes of sessions without a connection. */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #clock: AwakeClock;
  readonly #lives: (process: ProcessIdentity) => Liveness;
  #state: LeaseState = new Map();
  #settings: LeaseSettings;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#lives = options.lives ?? liveness;
    this.#settings = { graceMs: options.graceMs, returnMs: RETURN_MS };
    this.#clock = new AwakeClock(options.now, () => 2 * this.#pauseMs);
  }

  get all(): readonly LeaseStatus[] {
    const now = this.#clock.now();
    return [...this.#state.values()].map((lease) => {
      const end = endOf(lease, this.#settings);
      const { session, holder, hold } = lease;
      return { session, holder, state: hold.name, leftMs: end === null ? null : Math.max(0, end - now) };
    });
  }

  has(session: string): boolean {
    return this.#state.has(session);
  }

  connected({ session, holder, process }: SessionOwner): void {
    this.#lookAt(this.#state.get(session));
    this.#take({ type: 'connected', session, holder, process });
  }

  disconnected(session: string): void {
    this.#take({ type: 'disconnected', session });
    this.#look();
  }

  /** Something belongs to a session whose client may not be connected. */
  claimed({ session, holder, process }: SessionOwner): void {
    this.#take({ type: 'claimed', session, holder, process });
    this.#look();
  }

  retune(graceMs: number): void {
    this.#settings = { ...this.#settings, graceMs };
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  /** Looks for every process that a lease without a connection rests on, then at the time. */
  #look(): void {
    if (this.#stopped) return;
    for (const lease of [...this.#state.values()]) if (lease.hold.name === 'lingering') this.#lookAt(lease);
    this.#take({ type: 'time_passed' });
    this.#arm();
  }

  #lookAt(lease: Lease | undefined): void {
    for (const process of lease?.processes ?? []) {
      // One that cannot be verified keeps nothing alive: whoever is there can connect.
      if (lease !== undefined && this.#lives(process) !== 'alive')
        this.#take({ type: 'process_gone', session: lease.session, process });
    }
  }

  #take(event: LeaseEvent): void {
    const { state, actions } = step(this.#state, event, this.#clock.now(), this.#settings);
    this.#state = state;
    const over = new Set(actions.map((action) => action.session));
    if (over.size > 0 && !this.#stopped) void this.#reap(over);
  }

  async #reap(sessions: ReadonlySet<string>): Promise<void> {
    await this.#options.reap(sessions);
    for (const session of sessions) this.#take({ type: 'reaped', session });
    this.#look();
  }

  #arm(): void {
    this.#disarm();
    const lingers = [...this.#state.values()].some(({ hold }) => hold.name === 'lingering');
    const end = nextEnd(this.#state, this.#clock.now(), this.#settings);
    if (!lingers && end === null) return;
    this.#timer = setTimeout(() => this.#look(), Math.ceil(Math.min(end ?? this.#pauseMs, this.#pauseMs)));
    this.#timer.unref();
  }

  /** Often enough for a short grace, and for the clock, which takes a pause of twice the time for sleep. */
  get #pauseMs(): number {
    return Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, this.#settings.graceMs / 4));
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
