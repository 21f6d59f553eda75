import { parseOwner } from '../store/treeRecord.ts';
import type { Owner, SessionHolder, SessionOwner } from '../store/types.ts';

export const CONFIGURATION: Owner = { kind: 'configuration' };

/**
 * Who asked for one thing, in the order of asking. The first is its owner; when his session is over the next one is. The
 * configuration never goes, so that nobody else counts beside it.
 */
export class Owners {
  readonly #changed: () => void;
  /** None: nobody has asked yet, or the configuration has. */
  #claims: readonly Owner[];

  constructor(changed: () => void = () => {}, claims: readonly Owner[] = []) {
    this.#changed = changed;
    this.#claims = claims;
  }

  get first(): Owner {
    return this.#claims[0] ?? CONFIGURATION;
  }

  get all(): readonly Owner[] {
    return this.#claims;
  }

  /** Begins anew: what was asked for before has had its end. */
  replace(owner: Owner): void {
    this.#set([owner]);
  }

  /** As an earlier supervisor had it. */
  restore(claims: readonly Owner[]): void {
    this.#claims = claims;
  }

  /** Nobody wants it any more. */
  clear(): void {
    this.#set([]);
  }

  /** It starts for `owner`, who comes first. */
  begin(owner: Owner): void {
    this.pass(NOBODY, owner);
  }

  /** One more who needs it. A session that comes with another process has that one from now on. */
  add(owner: Owner): void {
    if (owner.kind === 'configuration') this.#set([owner]);
    else if (this.first.kind === 'session' || this.#claims.length === 0) {
      const at = this.#claims.findIndex((one) => isOf(one, owner.session));
      this.#set(at === -1 ? [...this.#claims, owner] : this.#claims.with(at, owner));
    }
  }

  /** Where the session has asked, it is this process that stands for it. */
  renew(owner: SessionOwner): void {
    if (owner.process !== null) this.#set(this.#claims.map((one) => (isOf(one, owner.session) ? owner : one)));
  }

  /** These sessions need it no more. */
  drop(sessions: ReadonlySet<string>): void {
    const left = this.#claims.filter((one) => !isOfAny(one, sessions));
    if (left.length < this.#claims.length) this.#set(left);
  }

  /** What is left of theirs belongs to `to` from now on, and to whoever else asked for it. */
  pass(sessions: ReadonlySet<string>, to: Owner): void {
    const left = this.#claims.filter((one) => !isOfAny(one, sessions) && !sameOwner(one, to));
    this.#set(to.kind === 'configuration' ? [to] : [to, ...left]);
  }

  #set(claims: readonly Owner[]): void {
    const same = claims.length === this.#claims.length && claims.every((one, at) => sameOwner(one, this.#claims[at]));
    this.#claims = claims;
    if (!same) this.#changed();
  }
}

/** Those of a list that are owners. */
export function parseOwners(value: unknown): readonly Owner[] {
  return Array.isArray(value) ? value.flatMap((one) => parseOwner(one) ?? []) : [];
}

const NOBODY: ReadonlySet<string> = new Set();

export function isOfAny(owner: Owner, sessions: ReadonlySet<string>): owner is SessionOwner {
  return owner.kind === 'session' && sessions.has(owner.session);
}

/** Whose a thing is, in one word: `configuration`, or the session's name. */
export function ownerName(owner: Owner): string {
  return owner.kind === 'session' ? owner.session : 'configuration';
}

export type OwnerKind = 'configuration' | SessionHolder;

export function ownerKind(owner: Owner): OwnerKind {
  return owner.kind === 'session' ? owner.holder : 'configuration';
}

function isOf(owner: Owner, session: string): boolean {
  return owner.kind === 'session' && owner.session === session;
}

function sameOwner(a: Owner, b: Owner | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
