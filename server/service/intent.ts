/**
 * What was asked of a supervisor and is not done yet: whatever its state alone does not say. It is kept in the registry,
 * so that a successor goes on with it.
 */
import { parseOwner } from '../store/treeRecord.ts';
import type { Owner } from '../store/types.ts';
import { Owners, parseOwners } from './owners.ts';

/** A stop that is under way, in order with others; it is over when the incarnation's tree is proven empty. */
export interface StopUnderWay {
  readonly name: string;
  /** What runs with a higher number was asked for later. */
  readonly incarnation: number;
  /** For whom it is started again once it is stopped, as a restart asks; `null`: it stays stopped. */
  readonly thenFor: Owner | null;
}

/** Where intent is written to: a part at a time, `null` for one that is over. On the disk when it returns. */
export interface IntentStore {
  setIntent(changes: Readonly<Record<string, unknown>>): void;
}

const EVERYTHING = 'everything';
const DRAIN = 'drain';
const PENDING = 'pending/';
const STOP = 'stop/';

/** Changes are written by `save`, all at once, so that what begins and ends within one request costs nothing. */
export class Intent {
  readonly #store: IntentStore;
  readonly #pending = new Map<string, Owner>();
  readonly #stops = new Map<string, StopUnderWay>();
  /** As they are in the store. */
  readonly #saved = new Map<string, string>();
  readonly #touched = new Set<string>();
  readonly #everything = new Owners(() => this.#touched.add(EVERYTHING));
  #drainBy: string | null = null;

  constructor(store: IntentStore) {
    this.#store = store;
  }

  /** Services that were asked for and have not started, with who asked. */
  get pending(): ReadonlyMap<string, Owner> {
    return this.#pending;
  }

  get stops(): readonly StopUnderWay[] {
    return [...this.#stops.values()];
  }

  /** Who asked for every enabled service, so that one which is added later is started as well. */
  get everythingFor(): Owner | null {
    return this.#everything.all[0] ?? null;
  }

  /** All who asked for everything. */
  get everythingOwners(): readonly Owner[] {
    return this.#everything.all;
  }

  /** By whom everything was asked to end, for good. */
  get drainBy(): string | null {
    return this.#drainBy;
  }

  /** One more who wants everything; `null`: nobody does any more. */
  askForEverything(owner: Owner | null): void {
    if (owner === null) this.#everything.clear();
    else this.#everything.add(owner);
  }

  /** Nobody of these sessions wants everything any more. What is pending for them is somebody else's decision. */
  forget(sessions: ReadonlySet<string>): void {
    this.#everything.drop(sessions);
  }

  drain(by: string | null): void {
    this.#drainBy = by;
    this.#touched.add(DRAIN);
  }

  /** It is to start when it can. A stop that is under way is not what was asked for last any more. */
  pend(name: string, owner: Owner): void {
    this.#pending.set(name, owner);
    this.#touched.add(PENDING + name);
    this.#endStop(name);
  }

  /** It starts, or is not asked for any more. */
  unpend(name: string): void {
    if (this.#pending.delete(name)) this.#touched.add(PENDING + name);
  }

  /** Nothing is asked for any more, an end that is under way apart. */
  giveUp(): void {
    for (const name of [...this.#pending.keys()]) this.unpend(name);
    for (const name of [...this.#stops.keys()]) this.#endStop(name);
    this.askForEverything(null);
  }

  /** It is not to run any more, or only anew. */
  stop(stop: StopUnderWay): void {
    this.unpend(stop.name);
    this.#stops.set(stop.name, stop);
    this.#touched.add(STOP + stop.name);
  }

  /** That stop is over; a later one of the same name is not. */
  stopped(stop: StopUnderWay): void {
    if (this.#stops.get(stop.name) === stop) this.#endStop(stop.name);
  }

  isCurrent(stop: StopUnderWay): boolean {
    return this.#stops.get(stop.name) === stop;
  }

  /** Writes what changed since the last call; costs nothing when nothing did. */
  save(): void {
    const changes: Record<string, unknown> = {};
    for (const key of this.#touched) {
      const value = this.#valueOf(key);
      const text = value === null ? undefined : JSON.stringify(value);
      if (text === this.#saved.get(key)) continue;
      if (text === undefined) this.#saved.delete(key);
      else this.#saved.set(key, text);
      changes[key] = value;
    }
    this.#touched.clear();
    if (Object.keys(changes).length > 0) this.#store.setIntent(changes);
  }

  /**
   * Takes over what an earlier supervisor had saved; whatever it cannot have written is left out. What was `wanted` and
   * is not there is asked for anew, unless it was being stopped.
   */
  restore(saved: Readonly<Record<string, unknown>>, wanted: ReadonlyMap<string, Owner>): void {
    for (const [key, value] of Object.entries(saved)) {
      this.#saved.set(key, JSON.stringify(value));
      this.#touched.add(key);
      if (key === EVERYTHING) this.#everything.restore(parseOwners(value));
      else if (key === DRAIN) this.#drainBy = typeof value === 'string' ? value : null;
      else if (key.startsWith(PENDING)) {
        const owner = parseOwner(value);
        if (owner !== null) this.#pending.set(key.slice(PENDING.length), owner);
      } else if (key.startsWith(STOP)) {
        const stop = parseStop(key.slice(STOP.length), value);
        if (stop !== null) this.#stops.set(stop.name, stop);
      }
    }
    if (this.#drainBy !== null) {
      this.giveUp();
      return;
    }
    for (const [name, owner] of wanted) if (!this.#pending.has(name) && !this.#stops.has(name)) this.pend(name, owner);
  }

  #endStop(name: string): void {
    if (this.#stops.delete(name)) this.#touched.add(STOP + name);
  }

  #valueOf(key: string): unknown {
    if (key === EVERYTHING) return this.#everything.all.length === 0 ? null : this.#everything.all;
    if (key === DRAIN) return this.#drainBy;
    if (key.startsWith(PENDING)) return this.#pending.get(key.slice(PENDING.length)) ?? null;
    const stop = key.startsWith(STOP) ? this.#stops.get(key.slice(STOP.length)) : undefined;
    return stop === undefined ? null : { incarnation: stop.incarnation, thenFor: stop.thenFor };
  }
}

function parseStop(name: string, value: unknown): StopUnderWay | null {
  if (typeof value !== 'object' || value === null) return null;
  const { incarnation, thenFor } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(incarnation)) return null;
  const owner = thenFor === null ? null : parseOwner(thenFor);
  if (thenFor !== null && owner === null) return null;
  return { name, incarnation: incarnation as number, thenFor: owner };
}
