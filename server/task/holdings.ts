import type { EmptyProof } from '../process/types.ts';
import type { GraphEntry } from '../service/dependencies.ts';
import type { Intent } from '../service/intent.ts';
import { type Holding, handOver } from '../service/lease/handover.ts';
import { allOver } from '../service/order.ts';
import type { NameOutcome } from '../service/outcome.ts';
import { isOfAny } from '../service/owners.ts';
import type { ManagedService } from '../service/service.ts';
import type { Owner, SessionOwner } from '../store/types.ts';
import type { Commands } from './commands.ts';
import type { Runs } from './runs.ts';

export interface HoldingsParts {
  readonly services: ReadonlyMap<string, ManagedService>;
  readonly runs: Runs;
  readonly commands: Commands;
  readonly intent: Intent;
  readonly graph: () => ReadonlyMap<string, GraphEntry>;
  /** Stops services in the order of their dependencies. */
  readonly stop: (names: readonly string[]) => Promise<readonly NameOutcome[]>;
  readonly changed: () => void;
}

export interface ReapedTree {
  readonly name: string;
  readonly proof: EmptyProof;
}

/** What became of the things of one session. */
export interface ReapedSession {
  readonly session: string;
  /** What was stopped, each with the proof of it. */
  readonly trees: readonly ReapedTree[];
  readonly handedOver: readonly { readonly name: string; readonly to: Owner }[];
}

/** What belongs to whom: services, runs and commands, and what becomes of them when their sessions are over. */
export class Holdings {
  readonly #parts: HoldingsParts;

  constructor(parts: HoldingsParts) {
    this.#parts = parts;
  }

  /** Everybody whom something belongs to or who needs something, each at the least once. */
  owners(): Owner[] {
    const { commands, intent } = this.#parts;
    const claims = this.#holdings().flatMap((one) => one.claims);
    // An attached command ends with its terminal, and sees to that itself.
    const own = [...commands.live.values()].flatMap((one) => (one.attached ? [] : [one.owner]));
    return [...claims, ...own, ...intent.pending.values(), ...intent.everythingOwners];
  }

  /** A session has come with another process, which stands for it on record from now on. */
  renew(owner: SessionOwner): void {
    const { services, runs, intent } = this.#parts;
    for (const { owners } of [...services.values(), ...runs.values()]) owners.renew(owner);
    for (const [name, { session }] of sessionsOf(intent.pending))
      if (session === owner.session) intent.pend(name, owner);
    intent.save();
  }

  /** Names of what belongs to each session. */
  bySession(): ReadonlyMap<string, readonly string[]> {
    const held = this.#holdings().map(({ key, claims, entries }): [Owner | undefined, readonly string[]] => [
      claims[0],
      key.startsWith(RUN) ? [`run ${key.slice(RUN.length)}`] : entries,
    ]);
    const commands = [...this.#parts.commands.live.values()];
    const own = commands.map((one): [Owner, readonly string[]] => [one.owner, [one.tree.record.name]]);
    const all = new Map<string, readonly string[]>();
    for (const [owner, names] of [...held, ...own]) {
      const session = nameOf(owner);
      if (session !== null) all.set(session, [...(all.get(session) ?? []), ...names]);
    }
    return all;
  }

  /**
   * These sessions are over, all at once: what somebody else needs goes to him, the rest is stopped and proven empty.
   * One answer a session.
   */
  async reap(sessions: ReadonlySet<string>): Promise<ReapedSession[]> {
    const { services, runs, commands, intent, graph, stop, changed } = this.#parts;
    const holdings = this.#holdings();
    const plan = handOver(sessions, holdings, graph());
    const sessionOf = new Map(holdings.map(({ key, claims }) => [key, nameOf(claims[0])]));
    const over = new Set(plan.over);
    for (const { key } of holdings) if (!over.has(key)) this.#pass(key, sessions, plan.handedOver.get(key) ?? null);
    intent.forget(sessions);
    const stopping: string[] = [];
    for (const name of services.keys()) {
      if (!over.has(SERVICE + name)) continue;
      const service = services.get(name);
      intent.unpend(name);
      service?.pending.end();
      if (service?.atRest === false || this.#isBeingRestarted(name)) stopping.push(name);
    }
    intent.save();
    changed();
    const canceling = [...runs.values()].filter((run) => over.has(RUN + run.id));
    const commanded = [...sessions].map(async (session): Promise<ReapedSession> => {
      const belongs = (owner: Owner): boolean => isOfAny(owner, new Set([session]));
      return { session, trees: await commands.stop(belongs), handedOver: [] };
    });
    const [stopped, canceled, commandsEnded] = await allOver([
      stopping.length > 0 ? stop(stopping) : [],
      allOver(canceling.map(async (run) => ({ run, tasks: await run.cancel() }))),
      allOver(commanded),
    ] as const);
    return commandsEnded.map(({ session, trees }) => {
      const isOwn = (key: string): boolean => sessionOf.get(key) === session;
      const ofServices = stopped.filter(({ name }) => isOwn(SERVICE + name)).flatMap(proven);
      const ofRuns = canceled
        .filter(({ run }) => isOwn(RUN + run.id))
        .flatMap(({ tasks }) => tasks.flatMap((task) => proven(task)));
      const handedOver = [...plan.handedOver].filter(([key]) => isOwn(key));
      return {
        session,
        trees: [...ofServices, ...ofRuns, ...trees],
        handedOver: handedOver.map(([key, to]) => ({ name: key.slice(key.indexOf('/') + 1), to })),
      };
    });
  }

  /** Ends everything that runs or waits to. A step that fails keeps none of the others from its end. */
  async endAll(): Promise<ReapedTree[]> {
    const { services, runs, commands, intent, stop, changed } = this.#parts;
    for (const name of intent.pending.keys()) services.get(name)?.pending.end();
    intent.giveUp();
    intent.save();
    changed();
    const running = [...services.values()].filter((one) => !one.atRest).map((one) => one.name);
    const [stopped, canceled, ended] = await allOver([
      running.length > 0 ? stop(running) : [],
      allOver([...runs.values()].map((run) => run.cancel())),
      commands.stop(() => true),
    ] as const);
    return [...stopped.flatMap(proven), ...ended, ...canceled.flat().flatMap(proven)];
  }

  /** What is kept: nobody of `sessions` counts any more, and `to`, where it was theirs, has it. */
  #pass(key: string, sessions: ReadonlySet<string>, to: Owner | null): void {
    const { services, runs, intent } = this.#parts;
    const name = key.slice(key.indexOf('/') + 1);
    const owners = key.startsWith(RUN) ? runs.get(name)?.owners : services.get(name)?.owners;
    if (to === null) owners?.drop(sessions);
    else owners?.pass(sessions, to);
    if (to !== null && key.startsWith(SERVICE) && intent.pending.has(name)) intent.pend(name, to);
  }

  /** It may be at rest for the moment between its stop and its start. */
  #isBeingRestarted(name: string): boolean {
    return this.#parts.intent.stops.some((stop) => stop.name === name && stop.thenFor !== null);
  }

  #holdings(): Holding[] {
    const { services, runs, intent } = this.#parts;
    const ofServices = [...services.values()].flatMap((service): Holding[] => {
      const { name, owners, config } = service;
      if (service.atRest && !intent.pending.has(name) && !this.#isBeingRestarted(name)) return [];
      return [{ key: SERVICE + name, claims: owners.all, entries: [name], adopt: config.onOwnerLoss === 'adopt' }];
    });
    const ofRuns = [...runs.values()].flatMap((run): Holding[] => {
      const open = [...run.tasks.values()].filter((task) => !task.ended);
      if (open.length === 0) return [];
      const entries = open.map((task) => task.name);
      const adopt = open.some((task) => task.config?.onOwnerLoss === 'adopt');
      return [{ key: RUN + run.id, claims: run.owners.all, entries, adopt }];
    });
    return [...ofServices, ...ofRuns];
  }
}

const SERVICE = 'service/';
const RUN = 'run/';

/** Entries of sessions only. */
function sessionsOf(owners: ReadonlyMap<string, Owner>): [string, SessionOwner][] {
  return [...owners].flatMap(([name, owner]): [string, SessionOwner][] =>
    owner.kind === 'session' ? [[name, owner]] : [],
  );
}

function nameOf(owner: Owner | undefined): string | null {
  return owner?.kind === 'session' ? owner.session : null;
}

function proven({ name, proof }: { readonly name: string; readonly proof: EmptyProof | null }): ReapedTree[] {
  return proof === null ? [] : [{ name, proof }];
}
