import type { ReapResult, SessionStatus } from '../api/protocol.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { ownerName } from '../service/owners.ts';
import type { Owner, SessionOwner } from '../store/types.ts';
import type { Holdings, ReapedSession } from '../task/holdings.ts';
import { Leases } from './leases.ts';

export interface SessionsOptions {
  readonly host: WorkspaceHost;
  readonly holdings: Holdings;
  readonly graceMs: number;
  /** Sessions were over, and what they started is ended or handed over. */
  readonly onReaped: () => void;
}

/** The sessions of clients: who is there, what belongs to them, and what becomes of it when they are over. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #leases: Leases;

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { now } = options.host;
    this.#leases = new Leases({ graceMs: options.graceMs, now, reap: (sessions) => this.#over(sessions) });
  }

  /** Begins the grace of every session that something on record belongs to. */
  begin(): void {
    for (const owner of this.#options.holdings.owners()) this.claimed(owner);
  }

  /** As `begin`, for any session that has no lease by an oversight: nothing is without an end because of one. */
  check(): void {
    for (const owner of this.#options.holdings.owners())
      if (owner.kind === 'session' && !this.#leases.has(owner.session)) this.claimed(owner);
  }

  /** A client said hello; call the answer when its connection has ended. */
  arrived(owner: SessionOwner): () => void {
    this.#leases.connected(owner);
    this.#options.holdings.renew(owner);
    return () => this.#leases.disconnected(owner.session);
  }

  /** Something belongs to `owner` now, who need not be connected. */
  claimed(owner: Owner): void {
    if (owner.kind === 'session') this.#leases.claimed(owner);
  }

  retune(graceMs: number): void {
    this.#leases.retune(graceMs);
  }

  stop(): void {
    this.#leases.stop();
  }

  get all(): readonly SessionStatus[] {
    const owned = this.#options.holdings.bySession();
    return this.#leases.all.map((lease) => ({ ...lease, owns: owned.get(lease.session) ?? [] }));
  }

  /** Ends what belongs to a session at once, or hands over what somebody else needs. */
  async reap(session: string): Promise<ReapResult> {
    const known = this.#leases.has(session) || this.#options.holdings.bySession().has(session);
    this.#foretell(new Set([session]), 'asked');
    const [reaped] = await this.#options.holdings.reap(new Set([session]));
    const { trees, handedOver } = reaped ?? { trees: [], handedOver: [] };
    this.#tell({ session, trees, handedOver }, 'asked');
    return { session, known, trees, handedOver: handedOver.map(bySession), sessions: this.all };
  }

  async #over(sessions: ReadonlySet<string>): Promise<void> {
    this.#foretell(sessions, 'lease_over');
    const reaped = await this.#options.holdings.reap(sessions);
    // Most sessions end without leaving anything, which is no news.
    for (const one of reaped) if (one.trees.length + one.handedOver.length > 0) this.#tell(one, 'lease_over');
    this.check();
    this.#options.onReaped();
  }

  /** Told before anything is done: what happens to them next has its cause here. */
  #foretell(sessions: ReadonlySet<string>, why: 'asked' | 'lease_over'): void {
    const { host, holdings } = this.#options;
    const owned = holdings.bySession();
    for (const session of sessions) {
      const owns = owned.get(session) ?? [];
      if (owns.length > 0) host.journal('session_over', { session, why, owns });
    }
  }

  #tell({ session, trees, handedOver }: ReapedSession, why: 'asked' | 'lease_over'): void {
    this.#options.host.journal('session_reaped', {
      session,
      why,
      trees: trees.map((tree) => tree.name),
      confirmed: trees.reduce((sum, { proof }) => sum + proof.confirmed.length, 0),
      survivors: trees.flatMap(({ name, proof }) =>
        proof.survivors.map(({ identity, reason }) => ({ name, ...identity, reason })),
      ),
      handedOver: handedOver.map(bySession),
    });
  }
}

function bySession({ name, to }: ReapedSession['handedOver'][number]): { readonly name: string; readonly to: string } {
  return { name, to: ownerName(to) };
}
