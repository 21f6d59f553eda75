import { identityKey, liveness } from './identity.ts';
import type { Liveness, ProcessIdentity } from './types.ts';

/**
 * Who was ever seen in a tree and may still live. It keeps a hold on members that every other evidence loses: a
 * process with an emptied environment in a session of its own, after the keeper above it was killed.
 */
export interface Ledger {
  /** Notes the members of a census; drops earlier ones that ended. */
  observe(members: readonly { readonly identity: ProcessIdentity }[]): void;
  identities(): readonly ProcessIdentity[];
}

export interface LedgerOptions {
  /** From an earlier supervisor's registry. */
  readonly initial?: readonly ProcessIdentity[];
  /** Most identities to keep (4096); the longest known go first. */
  readonly limit?: number;
  readonly liveness?: (identity: ProcessIdentity) => Liveness;
}

export function createLedger(options: LedgerOptions = {}): Ledger {
  const { limit = 4096, liveness: lookUp = liveness } = options;
  const known = new Map<string, ProcessIdentity>();
  const add = (identity: ProcessIdentity): void => {
    // Without a start time it could never be recognised again, only be mistaken.
    if (identity.startTime !== '' && identity.bootId !== '') known.set(identityKey(identity), identity);
  };
  const bound = (): void => {
    for (const key of known.keys()) {
      if (known.size <= limit) return;
      known.delete(key);
    }
  };
  for (const identity of options.initial ?? []) add(identity);
  bound();
  return {
    observe(members) {
      const present = new Set(members.map((member) => identityKey(member.identity)));
      for (const [key, identity] of known) {
        if (present.has(key)) continue;
        const state = lookUp(identity);
        if (state === 'gone' || state === 'zombie' || state === 'recycled') known.delete(key);
      }
      for (const member of members) add(member.identity);
      bound();
    },
    identities: () => [...known.values()],
  };
}
