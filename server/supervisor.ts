import type { DependencyCondition, ServiceConfig, WorkspaceConfig } from './config/model.ts';
import {
  type ConditionState,
  decideStart,
  type GraphEntry,
  stopsAfter,
  tasksNeededBy,
  withDependencies,
} from './service/dependencies.ts';
import type { WorkspaceHost } from './service/host.ts';
import { asSeen, type Incarnations, incarnationsOf, type UnfinishedChange } from './service/incarnations.ts';
import { Intent } from './service/intent.ts';
import { allOver } from './service/order.ts';
import { OrderedStops } from './service/orderedStops.ts';
import { type NameOutcome, outcome } from './service/outcome.ts';
import { ManagedService } from './service/service.ts';
import { conditionOf } from './service/standing.ts';
import { mayStart, startPending } from './service/startPending.ts';
import type { Owner } from './store/types.ts';
import { Commands } from './task/commands.ts';
import type { ExecRequest, ExecStart } from './task/exec.ts';
import { Holdings, type ReapedTree } from './task/holdings.ts';
import { Runs } from './task/runs.ts';

/** The one object that holds services, runs and commands together, and keeps their dependencies. */
export class Supervisor {
  readonly host: WorkspaceHost;
  readonly services = new Map<string, ManagedService>();
  readonly runs: Runs;
  readonly commands: Commands;
  readonly holdings: Holdings;
  /** What was asked for and is not done yet; a successor goes on with it. */
  readonly intent: Intent;
  readonly #stops: OrderedStops;
  readonly #changed: () => void;
  #config: WorkspaceConfig;
  #stopping = false;
  #settling = false;
  #count = 0;

  constructor(host: WorkspaceHost, config: WorkspaceConfig, changed: () => void) {
    this.host = host;
    this.#config = config;
    this.#changed = changed;
    this.intent = new Intent(host.registry);
    const stopOne = (name: string): Promise<NameOutcome> => this.#stopOne(name);
    this.#stops = new OrderedStops(this.intent, this.services, () => this.#entries(), stopOne);
    this.runs = new Runs(host, () => this.settle());
    this.commands = new Commands(host, changed);
    this.holdings = new Holdings({ ...this, graph: () => this.#entries(), stop: (names) => this.stop(names), changed });
    for (const service of config.services.values()) this.#add(service);
  }

  get config(): WorkspaceConfig {
    return this.#config;
  }

  /** From the first moment of a drain on, nothing new is started. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Something runs, or waits to. */
  get busy(): boolean {
    return this.runs.busy || this.commands.busy || [...this.services.values()].some((service) => !service.atRest);
  }

  /** Makes the memory in every status a recent one. */
  async refreshMemory(): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.refreshMemory()));
  }

  /**
   * Brings names and what they depend on up; none named: every enabled service. `id` is the caller's: the same one again is
   * the same run.
   */
  up(names: readonly string[], owner: Owner, id = this.#nextId()): NameOutcome[] {
    if (names.length === 0) this.intent.askForEverything(owner);
    const wanted =
      names.length > 0 ? names : [...this.services.values()].filter((one) => one.config.enabled).map((one) => one.name);
    const outcomes = wanted.map((name) => this.#judgeStart(name));
    const accepted = outcomes.filter((one) => one.ok).map((one) => one.name);
    const closure = withDependencies(accepted, this.#entries());
    const starting = closure.filter((name) => {
      const service = this.services.get(name);
      return service !== undefined && mayStart(service) && (service.config.enabled || accepted.includes(name));
    });
    for (const name of closure) {
      const service = this.services.get(name);
      if (service === undefined) this.runs.underWay(name)?.owners.add(owner);
      else if (starting.includes(name) && !this.intent.pending.has(name)) service.owners.replace(owner);
      // What is only depended on has its owner for as long as he is there; see `Holdings`.
      else if (owner.kind === 'configuration' || accepted.includes(name)) service.owners.add(owner);
    }
    // Who asked first has it, unless it is asked for beyond his session.
    for (const name of starting) this.intent.pend(name, this.services.get(name)?.owner ?? owner);
    this.#startRun(id, [...starting, ...accepted.filter((name) => this.#config.tasks.has(name))], owner);
    this.settle();
    return outcomes;
  }

  /** Stops names (none: all services), dependents before what they depend on, each proven empty. */
  async stop(names: readonly string[]): Promise<NameOutcome[]> {
    const wanted = names.length > 0 ? [...new Set(names)] : [...this.services.keys()];
    if (names.length === 0) this.intent.askForEverything(null);
    return this.#stops.stop(wanted);
  }

  /**
   * Restarts names (none: all that run). What depends on one another is stopped and started in the order that any stop
   * and start has; everything else is restarted at the same time. What is still to be restarted as it was asked before is not
   * restarted twice; nor is, for who asks again, what has a higher incarnation by now than he had seen in `since`.
   */
  async restart(names: readonly string[], owner: Owner, since: Incarnations = {}): Promise<NameOutcome[]> {
    const wanted =
      names.length > 0
        ? [...new Set(names)]
        : [...this.services.values()].filter((one) => !one.atRest).map((one) => one.name);
    const joined = new Map(wanted.flatMap((name) => this.#restartUnderWay(name, since) ?? []));
    const running = wanted.filter((name) => this.services.get(name)?.wanted && !joined.has(name));
    const after = [...stopsAfter(running, this.#entries())];
    const linked = new Set(after.flatMap(([name, first]) => (first.size === 0 ? [] : [name, ...first])));
    const inOrder = this.#restartInOrder(linked);
    return allOver(
      wanted.map((name) => joined.get(name) ?? (linked.has(name) ? inOrder(name) : this.#restartOne(name, owner))),
    );
  }

  reset(names: readonly string[]): NameOutcome[] {
    const wanted = names.length > 0 ? names : [...this.services.keys()];
    return wanted.map((name) => {
      const service = this.services.get(name);
      if (service === undefined) return outcome(name, this.#config.tasks.has(name) ? 'not_a_service' : 'unknown_name');
      return outcome(name, service.reset() ? 'reset' : 'not_failed');
    });
  }

  /** `id` is the caller's; the same one again is the same command. */
  exec(request: ExecRequest, id: string | null = null): Promise<ExecStart> {
    return this.commands.start(id ?? this.#nextId(), request);
  }

  /** Ends everything, for good: services, runs and commands. A step that fails keeps none of the others from its end. */
  async drain(): Promise<ReapedTree[]> {
    this.#stopping = true;
    return this.holdings.endAll();
  }

  /** Ends what the supervisor before was asked to end and could not; from then on this one starts what it is asked for. */
  async finishDrain(): Promise<void> {
    await this.drain();
    this.intent.drain(null);
    this.intent.save();
    this.#stopping = false;
  }

  /** For a supervisor that must not touch anything any more: from now on nothing is started; the successor does it. */
  freeze(): void {
    this.#stopping = true;
  }

  /**
   * Goes on, once everything is taken over, with what the supervisor before was asked for and had not done: its `intent`,
   * and what was `wanted` and of which nothing is left.
   */
  resume(intent: Readonly<Record<string, unknown>>, wanted: ReadonlyMap<string, Owner>): void {
    this.intent.restore(intent, wanted);
    // Everything was being ended: nothing of it is started again for the moment until that is done.
    this.#stopping = this.intent.drainBy !== null;
    void this.#stops.resume().then(() => this.settle());
    this.settle();
  }

  /**
   * Puts another configuration in force and touches only what it concerns. `keep` is called once it is in force, with what is
   * then done: whoever takes over finishes that.
   */
  async apply(
    config: WorkspaceConfig,
    change: {
      added: readonly string[];
      removed: readonly string[];
      changed: readonly string[];
      retuned: readonly string[];
    },
    keep: (unfinished: UnfinishedChange) => void = () => {},
  ): Promise<void> {
    const removed = change.removed.filter((name) => this.services.has(name));
    // No names would mean all.
    if (removed.length > 0) await this.stop(removed);
    if (this.#stopping) return;
    for (const name of removed) {
      this.services.delete(name);
      this.host.registry.removeService(name);
    }
    const enabledBefore = new Set([...this.services.values()].flatMap((one) => (one.config.enabled ? one.name : [])));
    this.#config = config;
    for (const name of [...change.added, ...change.changed, ...change.retuned]) {
      const service = config.services.get(name);
      if (service === undefined) continue;
      const present = this.services.get(name);
      if (present === undefined) this.#add(service);
      else present.retune(service);
    }
    // What is being stopped stays stopped.
    const running = change.changed.flatMap((name) => this.services.get(name) ?? []).filter((service) => service.wanted);
    const enabled = [...this.services.values()].filter((one) => one.config.enabled && !enabledBefore.has(one.name));
    const unfinished = { restart: incarnationsOf(running), start: incarnationsOf(enabled) };
    keep(unfinished);
    await this.finishChange(unfinished);
  }

  /** Starts and restarts what a configuration that is in force asks for; what has a higher incarnation by now has had it. */
  async finishChange({ restart, start }: UnfinishedChange): Promise<void> {
    if (this.#stopping) return;
    const left = (seen: Incarnations): ManagedService[] => asSeen(this.services, seen);
    const restarted = Promise.all(left(restart).map((service) => (service.wanted ? service.restart() : undefined)));
    const { everythingFor } = this.intent;
    const names = left(start).map((one) => one.name);
    if (everythingFor !== null && names.length > 0) this.up(names, everythingFor);
    await restarted;
    this.settle();
  }

  /** Starts what can start now; called whenever anything changed. */
  settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    try {
      for (let again = true; again; ) again = this.#settleOnce();
    } finally {
      this.#settling = false;
      this.intent.save();
    }
    this.#changed();
  }

  #settleOnce(): boolean {
    if (this.#stopping) return false;
    const started = startPending(this.intent, this.services, this.#condition);
    return this.runs.settle((task) => decideStart(task, this.#condition)) || started;
  }

  readonly #condition = (name: string, condition: DependencyCondition): ConditionState => {
    const service = this.services.get(name);
    if (service === undefined) return this.runs.condition(name);
    const state = conditionOf(service.config, service.state, service.tree !== null, condition);
    // What is about to start does not count as what it was before (completed, say).
    if (state.kind === 'coming' || !this.intent.pending.has(name)) return state;
    return service.pending.blockedBy === null
      ? { kind: 'coming' }
      : { kind: 'hopeless', because: `${name} is ${service.pending.text}` };
  };

  #judgeStart(name: string): NameOutcome {
    const service = this.services.get(name);
    if (this.#stopping) return outcome(name, 'shutting_down');
    if (service === undefined) {
      if (!this.#config.tasks.has(name)) return outcome(name, 'unknown_name');
      return outcome(name, this.runs.underWay(name) === undefined ? 'started' : 'already_running');
    }
    if (service.needsReset) return outcome(name, 'failed', null, service.failure ?? service.status.detail);
    if (!service.atRest && service.state !== 'stopping') return outcome(name, 'already_running');
    return outcome(name, 'started');
  }

  async #restartOne(name: string, owner: Owner): Promise<NameOutcome> {
    const service = this.services.get(name);
    const judged = this.#judgeStart(name);
    if (!judged.ok) return judged;
    if (service === undefined || service.atRest) return this.up([name], owner)[0] ?? judged;
    await service.restart();
    return this.#restarted(service);
  }

  /** Stops `names` together, in order, and has each come back when what it depends on is there; one answer a name. */
  #restartInOrder(names: ReadonlySet<string>): (name: string) => Promise<NameOutcome> {
    const services = [...names].flatMap((name) => this.services.get(name) ?? []);
    const owners = new Map(services.map((service) => [service.name, service.owner]));
    const begun = this.#stops.restart([...names], (name) => owners.get(name) ?? null).then(() => this.settle());
    return async (name) => {
      await begun;
      const service = this.services.get(name);
      return service === undefined ? outcome(name, 'unknown_name') : this.#restarted(service);
    };
  }

  /** The answer to a restart that is under way, or over, without this request; `null`: it has to be done. */
  #restartUnderWay(name: string, since: Incarnations): [string, Promise<NameOutcome>][] | null {
    const service = this.services.get(name);
    if (service === undefined) return null;
    const earlier = Object.hasOwn(since, name) ? since[name] : undefined;
    const restarting = this.#stops.restarting(name);
    const isDone = earlier !== undefined && (service.incarnation > earlier || this.intent.pending.has(name));
    if (restarting === null && !isDone) return null;
    return [[name, Promise.resolve(restarting).then(() => this.#restarted(service))]];
  }

  #restarted(service: ManagedService): NameOutcome {
    const { name, lastProof } = service;
    if (service.needsReset) return outcome(name, 'failed', lastProof, service.failure ?? service.status.detail);
    if (this.#stopping) return outcome(name, 'shutting_down', lastProof);
    const comes = !service.atRest || this.intent.pending.has(name) || service.state === 'completed';
    return outcome(name, comes ? 'restarted' : 'stopped', lastProof);
  }

  async #stopOne(name: string): Promise<NameOutcome> {
    const service = this.services.get(name);
    if (service !== undefined) {
      const ran = !service.atRest;
      const proof = await service.stop();
      return outcome(name, ran ? 'stopped' : 'not_running', proof);
    }
    const proofs = await this.runs.stopTask(name);
    if (proofs === null) return outcome(name, this.#config.tasks.has(name) ? 'not_running' : 'unknown_name');
    return outcome(name, proofs.length > 0 ? 'stopped' : 'not_running', proofs[0] ?? null);
  }

  /** The tasks that `goals` need, in one run; one that is under way in another run is not started beside it. */
  #startRun(id: string, goals: readonly string[], owner: Owner): void {
    const { services, tasks: known } = this.#config;
    if (this.runs.get(id) === undefined) this.runs.begin(id, tasksNeededBy(goals, services, known), owner);
  }

  #add(config: ServiceConfig): void {
    this.services.set(config.name, new ManagedService(config, this.host, () => this.settle()));
  }

  #entries(): ReadonlyMap<string, GraphEntry> {
    return new Map<string, GraphEntry>([...this.#config.services, ...this.#config.tasks]);
  }

  /** Sorts by time, and is unique within a supervisor's life. */
  #nextId(): string {
    this.#count += 1;
    return `${Date.now().toString(36)}-${process.pid.toString(36)}-${this.#count}`;
  }
}
