import type { Owner } from '../store/types.ts';
import type { GraphEntry } from './dependencies.ts';
import type { Intent, StopUnderWay } from './intent.ts';
import { stopInOrder } from './order.ts';
import type { NameOutcome } from './outcome.ts';
import type { ManagedService } from './service.ts';
import { mayStart } from './startPending.ts';

/** Stops in the order of dependencies, each noted while it is under way, so that a successor ends what was begun. */
export class OrderedStops {
  readonly #intent: Intent;
  readonly #services: ReadonlyMap<string, ManagedService>;
  readonly #entries: () => ReadonlyMap<string, GraphEntry>;
  readonly #stopOne: (name: string) => Promise<NameOutcome>;
  readonly #restarts = new Map<string, Promise<void>>();

  constructor(
    intent: Intent,
    services: ReadonlyMap<string, ManagedService>,
    entries: () => ReadonlyMap<string, GraphEntry>,
    stopOne: (name: string) => Promise<NameOutcome>,
  ) {
    this.#intent = intent;
    this.#services = services;
    this.#entries = entries;
    this.#stopOne = stopOne;
  }

  /** Dependents before what they depend on, each proven empty. */
  stop(names: readonly string[]): Promise<NameOutcome[]> {
    const stops = this.#note(names, () => null);
    return this.#inOrder(names, (name) => {
      const stop = stops.get(name);
      if (stop !== undefined) this.#intent.stopped(stop);
    });
  }

  /** Stops them and has those that have somebody to run for asked for again, unless something else was asked meanwhile. */
  restart(names: readonly string[], thenFor: (name: string) => Owner | null): Promise<void> {
    if (names.length === 0) return Promise.resolve();
    const stops = this.#note(names, thenFor);
    const restarting = this.#restart(names, stops).finally(() => {
      for (const name of names) if (this.#restarts.get(name) === restarting) this.#restarts.delete(name);
    });
    for (const name of names) this.#restarts.set(name, restarting);
    return restarting;
  }

  /** The restart in order that a name is still to be stopped and started by; `null`: none, or something else was asked since. */
  restarting(name: string): Promise<void> | null {
    const isWanted = this.#intent.stops.some((stop) => stop.name === name && stop.thenFor !== null);
    return isWanted ? (this.#restarts.get(name) ?? null) : null;
  }

  async #restart(names: readonly string[], stops: ReadonlyMap<string, StopUnderWay>): Promise<void> {
    await this.#inOrder(names, () => {});
    for (const stop of stops.values()) {
      if (!this.#intent.isCurrent(stop)) continue;
      this.#intent.stopped(stop);
      const service = this.#services.get(stop.name);
      if (stop.thenFor !== null && service !== undefined && mayStart(service))
        this.#intent.pend(stop.name, service.owner);
    }
  }

  /** Goes on with what an earlier supervisor had begun. */
  resume(): Promise<void> {
    for (const stop of this.#intent.stops) {
      // Another start of it was asked for before the end of this one was noted; or it is no service any more.
      const incarnation = this.#services.get(stop.name)?.incarnation ?? Number.POSITIVE_INFINITY;
      if (incarnation > stop.incarnation) this.#intent.stopped(stop);
    }
    const stops = new Map(this.#intent.stops.map((stop) => [stop.name, stop.thenFor]));
    return this.restart([...stops.keys()], (name) => stops.get(name) ?? null);
  }

  #note(names: readonly string[], thenFor: (name: string) => Owner | null): ReadonlyMap<string, StopUnderWay> {
    const stops = new Map<string, StopUnderWay>();
    for (const name of names) {
      this.#intent.unpend(name);
      const service = this.#services.get(name);
      if (service === undefined) continue;
      const stop = { name, incarnation: service.incarnation, thenFor: thenFor(name) };
      stops.set(name, stop);
      this.#intent.stop(stop);
      // Nothing to wait for, and what was noted of an earlier stop is not what was asked for last.
      if (service.atRest && stop.thenFor === null) this.#intent.stopped(stop);
    }
    this.#intent.save();
    return stops;
  }

  #inOrder(names: readonly string[], over: (name: string) => void): Promise<NameOutcome[]> {
    return stopInOrder(names, this.#entries(), async (name) => {
      const result = await this.#stopOne(name);
      over(name);
      this.#intent.save();
      return result;
    });
  }
}
