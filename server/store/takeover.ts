/**
 * The contest for `.coppice/supervisor.lock`: of any number of contenders exactly one wins, wherever others are killed.
 *
 * Each contender writes its whole lock into a temporary file of its own. What counts happens by two calls that the
 * kernel makes atomic: link(2), which fails when the name is taken, and rename(2), which replaces.
 *
 *   no lock       link(temporary, lock). One succeeds. There is never a half-written lock to be seen.
 *   lock G is stale   Only who has the right to G may replace it. The right to G is a ticket file, named after the hash
 *                 of G's text (its generation; every claim has a nonce, so no two are alike), made by link. If there is
 *                 a ticket and its maker is alive, it is about to replace G: wait for it. If its maker is dead, the
 *                 right to *its* ticket is wanted in the same way, and so on down a chain: G, ticket T1 for G, ticket
 *                 T2 for T1 ... Whoever makes the last ticket looks once more whether G and all tickets of the chain
 *                 are still those that it read. If so it has the right: it renames its temporary file over the lock,
 *                 then removes the chain. If not, it removes its own ticket and begins again.
 *
 * Why at most one wins. (1) A lock that is there changes by rename alone, and only by who has the right to what is
 * there. (2) A ticket is removed by its living maker when he has no right, or by who has the right and has already
 * replaced G. So as long as G is there, a dead maker's ticket stays. (3) Suppose X and Y, both alive, have the right to
 * G. The first place where their chains differ has one name (it follows from what comes before it) and held two files at
 * two times: X's ticket, and one that Y read as a dead maker's, D's. D's was there when Y verified, which is after Y
 * judged D dead; by (2) it was there from D's death on, so X could not make its own in its place before, and after
 * that not while G is there. (4) Between verifying and renaming G cannot change: by (1) that needs the right.
 *
 * Why a killed contender blocks nobody: before its ticket it has only its temporary file; with a ticket it is the dead
 * maker whom the next in the chain follows; after its rename it is the holder of a stale lock, and the tickets left of
 * older generations are never looked at again. "Dead" is for good: pid, start time and boot id do not come back.
 *
 * What it does not stand: a person who deletes the lock in the microseconds between (4)'s two calls while a third
 * process claims. Both then believe to have won, until the first `verify` of the one whose lock is gone.
 */
import { lstatSync } from 'node:fs';
import { removeFile, replaceFile } from '../process/disk.ts';
import { createExclusively } from './exclusive.ts';
import { type HolderVerdict, judgeHolder, type Viewpoint } from './holder.ts';
import { classifyIoError, type IoFailure } from './ioFailure.ts';
import { type LockFile, readLockFile } from './lockFile.ts';
import { quarantineCopy } from './quarantine.ts';
import type { SupervisorLock } from './types.ts';

export interface Contender {
  readonly lockPath: string;
  /** A file that holds `text`, in the same folder. Made by the first call, when it is known that it will be needed. */
  readonly temporary: () => string;
  readonly text: string;
  readonly view: Viewpoint;
  readonly linkFile?: (from: string, to: string) => void;
  /** A holder that lives although its lock is not to be read; see `claim.ts`. */
  readonly hiddenHolder: () => Promise<SupervisorLock | null>;
}

/** What a win replaced. */
export type Replaced =
  | { readonly kind: 'stale'; readonly previous: SupervisorLock }
  /** `aside`: where the torn lock is kept. */
  | { readonly kind: 'corrupt'; readonly detail: string; readonly aside: string | null };

export type Step =
  | { readonly kind: 'won'; readonly replaced: Replaced | null }
  | { readonly kind: 'held'; readonly holder: SupervisorLock; readonly verdict: HolderVerdict }
  /** Somebody is in the middle of it; `holder` is who will have it, where that is known. */
  | { readonly kind: 'wait'; readonly holder: SupervisorLock | null }
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly failure: IoFailure };

/**
 * Torn files must be seen unchanged for this long. Only where there are no hard links can one be the work of a living
 * contender, between creating and filling it.
 */
const TORN_PATIENCE_MS = 500;
/** More deaths in the middle of a takeover than any machine has seen. */
const LONGEST_CHAIN = 100;

/** One attempt after the other, by one contender. Remembers what torn files it has seen. */
export class Contest {
  readonly #contender: Contender;
  readonly #torn = new Map<string, number>();

  constructor(contender: Contender) {
    this.#contender = contender;
  }

  async attempt(): Promise<Step> {
    const { lockPath, view } = this.#contender;
    const file = readLockFile(lockPath);
    switch (file.kind) {
      case 'absent': {
        const hidden = await this.#contender.hiddenHolder();
        return hidden === null ? this.#create() : { kind: 'wait', holder: hidden };
      }
      case 'unreadable':
        return { kind: 'failed', failure: file.failure };
      case 'lock': {
        const verdict = await judgeHolder(file.lock, file.mtimeMs, view);
        if (verdict !== 'stale') return { kind: 'held', holder: file.lock, verdict };
        return this.#replace(file);
      }
      case 'corrupt': {
        if (!this.#isTornForGood(file.generation)) return { kind: 'wait', holder: null };
        const hidden = await this.#contender.hiddenHolder();
        return hidden === null ? this.#replace(file) : { kind: 'wait', holder: hidden };
      }
      default:
        return file satisfies never;
    }
  }

  #create(): Step {
    const created = this.#exclusively(this.#contender.lockPath);
    if (created.kind === 'created') return { kind: 'won', replaced: null };
    return created.kind === 'exists' ? { kind: 'again' } : created;
  }

  async #replace(stale: Stale): Promise<Step> {
    const { lockPath, view } = this.#contender;
    const chain: Link[] = [{ path: lockPath, generation: stale.generation }];
    while (chain.length < LONGEST_CHAIN) {
      const ticket = ticketPath(lockPath, chain[chain.length - 1]?.generation ?? '');
      const file = readLockFile(ticket);
      switch (file.kind) {
        case 'unreadable':
          return { kind: 'failed', failure: file.failure };
        case 'lock':
          if ((await judgeHolder(file.lock, file.mtimeMs, view)) !== 'stale')
            return { kind: 'wait', holder: file.lock };
          chain.push({ path: ticket, generation: file.generation });
          break;
        case 'corrupt':
          if (!this.#isTornForGood(file.generation)) return { kind: 'wait', holder: null };
          chain.push({ path: ticket, generation: file.generation });
          break;
        case 'absent': {
          const created = this.#exclusively(ticket);
          if (created.kind === 'failed') return created;
          if (created.kind === 'created') return this.#useRight(stale, chain, ticket);
          // Somebody was quicker; it is looked at now.
          break;
        }
        default:
          return file satisfies never;
      }
    }
    return { kind: 'again' };
  }

  /** No `await` in here: nothing of this process may come between the verifying and the renaming. */
  #useRight(stale: Stale, chain: readonly Link[], ticket: string): Step {
    const { lockPath } = this.#contender;
    if (!chain.every(isUnchanged)) {
      removeQuietly(ticket);
      return { kind: 'again' };
    }
    try {
      const replaced = setAside(stale, lockPath);
      replaceFile(this.#contender.temporary(), lockPath);
      for (const { path } of chain.slice(1)) removeQuietly(path);
      removeQuietly(ticket);
      return { kind: 'won', replaced };
    } catch (error) {
      removeQuietly(ticket);
      return { kind: 'failed', failure: classifyIoError(error, lockPath) };
    }
  }

  #exclusively(target: string): { kind: 'created' } | { kind: 'exists' } | { kind: 'failed'; failure: IoFailure } {
    const { text, linkFile } = this.#contender;
    try {
      const from = this.#contender.temporary();
      return { kind: createExclusively(from, target, text, linkFile) };
    } catch (error) {
      return { kind: 'failed', failure: classifyIoError(error, target) };
    }
  }

  #isTornForGood(generation: string): boolean {
    const now = performance.now();
    const since = this.#torn.get(generation) ?? now;
    this.#torn.set(generation, since);
    return now - since >= TORN_PATIENCE_MS;
  }
}

/** Prefix of the names of tickets, beside the lock. */
export function ticketPath(lockPath: string, generation: string): string {
  return `${lockPath}.takeover-${generation}`;
}

export function removeQuietly(path: string): void {
  try {
    removeFile(path);
  } catch {
    // It is gone, or stays as one more name that nobody looks for.
  }
}

type Stale = Extract<LockFile, { kind: 'lock' | 'corrupt' }>;

interface Link {
  readonly path: string;
  readonly generation: string;
}

function isUnchanged({ path, generation }: Link): boolean {
  const file = readLockFile(path);
  return (file.kind === 'lock' || file.kind === 'corrupt') && file.generation === generation;
}

/** Keeps a torn lock as evidence. A folder under that name is moved away, as nothing can be renamed over it. */
function setAside(stale: Stale, lockPath: string): Replaced {
  if (stale.kind === 'lock') return { kind: 'stale', previous: stale.lock };
  const aside = quarantineCopy(lockPath, lstatSync(lockPath).isDirectory());
  return { kind: 'corrupt', detail: stale.detail, aside };
}
