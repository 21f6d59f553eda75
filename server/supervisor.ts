import type { DependencyCondition, ServiceConfig, WorkspaceConfig } from './config/model.ts';
import type { EmptyProof } from './process/types.ts';
import {
  type ConditionState,
  decideStart,
  type GraphEntry,
  stopsAfter,
  withDependencies,
} from './service/dependencies.ts';
import type { WorkspaceHost } from './service/host.ts';
import { type NameOutcome, outcome } from './service/outcome.ts';
import { ManagedService } from './service/service.ts';
import type { Owner } from './store/types.ts';
import { ExecCommand, type ExecRequest, type ExecStart } from './task/exec.ts';
import { forgetOldRuns, TaskRun, taskCondition } from './task/run.ts';

/** A tree that was stopped, by the name that people know it by. */
export interface StoppedTree {
  readonly name: string;
  readonly proof: EmptyProof;
}

/** The one object that holds services, runs and commands together, and keeps their dependencies. */
export class Supervisor {
  readonly host: WorkspaceHost;
  readonly services = new Map<string, ManagedService>();
  readonly runs = new Map<string, TaskRun>();
  readonly commands = new Map<string, ExecCommand>();
  /** The newest that ended, for callers that ask a moment later. */
  readonly endedCommands = new Map<string, ExecCommand>();
  /** Services that were asked for and wait for what they depend on, with who asked. */
  readonly #pending = new Map<string, Owner>();
  readonly #changed: () => void;
  /** Who asked for every enabled service, so that one which is added later is started as well. */
  #everythingFor: Owner | null = null;
  #config: WorkspaceConfig;
  #stopping = false;
  #settling = false;
  #count = 0;

  constructor(host: WorkspaceHost, config: WorkspaceConfig, changed: () => void) {
    this.host = host;
    this.#config = config;
    this.#changed = changed;
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
    const runs = [...this.runs.values()].some((run) => !run.ended);
    return runs || this.commands.size > 0 || [...this.services.values()].some((service) => !service.atRest);
  }

  /** Makes the memory in every status a recent one. */
  async refreshMemory(): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.refreshMemory()));
  }

  /** Brings names and what they depend on up; none named: every enabled service. */
  up(names: readonly string[], owner: Owner): NameOutcome[] {
    if (names.length === 0) this.#everythingFor = owner;
    const wanted =
      names.length > 0 ? names : [...this.services.values()].filter((one) => one.config.enabled).map((one) => one.name);
    const outcomes = wanted.map((name) => this.#judgeStart(name));
    const accepted = outcomes.filter((one) => one.ok).map((one) => one.name);
    const closure = withDependencies(accepted, this.#entries());
    const starting = closure.filter((name) => this.services.get(name)?.atRest && !this.services.get(name)?.needsReset);
    if (owner.kind === 'configuration') this.#keep(closure);
    for (const name of starting) {
      if (accepted.includes(name) || this.services.get(name)?.config.enabled) this.#pending.set(name, owner);
    }
    const goals = [
      ...starting.filter((name) => this.#pending.has(name)),
      ...accepted.filter((name) => this.#config.tasks.has(name)),
    ];
    this.#startRun(goals, owner);
    this.settle();
    return outcomes;
  }

  /** Stops names (none: all services), dependents before what they depend on, each proven empty. */
  async stop(names: readonly string[]): Promise<NameOutcome[]> {
    const wanted = names.length > 0 ? [...new Set(names)] : [...this.services.keys()];
    if (names.length === 0) this.#everythingFor = null;
    const stops = new Map<string, Promise<NameOutcome>>();
    const after = stopsAfter(wanted, this.#entries());
    for (const name of wanted) this.#pending.delete(name);
    const stopOne = (name: string): Promise<NameOutcome> => {
      let stop = stops.get(name);
      if (stop === undefined) {
        const first = Promise.all([...(after.get(name) ?? [])].map(stopOne));
        stop = first.then(() => this.#stopOne(name));
        stops.set(name, stop);
      }
      return stop;
    };
    return Promise.all(wanted.map(stopOne));
  }

  async restart(names: readonly string[], owner: Owner): Promise<NameOutcome[]> {
    const wanted =
      names.length > 0 ? names : [...this.services.values()].filter((one) => !one.atRest).map((one) => one.name);
    return Promise.all(
      wanted.map(async (name) => {
        const service = this.services.get(name);
        const judged = this.#judgeStart(name);
        if (service === undefined || (!judged.ok && judged.reason !== 'already_running')) return judged;
        if (service.atRest) return this.up([name], owner)[0] ?? judged;
        await service.restart(service.owner);
        return outcome(name, 'restarted', service.lastProof);
      }),
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

  async exec(request: ExecRequest): Promise<ExecStart> {
    const started = await ExecCommand.start(this.host, this.#nextId(), request);
    if (!started.ok) return started;
    const { command } = started;
    this.commands.set(command.id, command);
    void command.ended.then(() => {
      this.commands.delete(command.id);
      this.endedCommands.set(command.id, command);
      for (const id of this.endedCommands.keys()) if (this.endedCommands.size > 100) this.endedCommands.delete(id);
      this.#changed();
    });
    if (this.#stopping) void command.stop();
    return started;
  }

  /** Stops all that `belongs`; resolves with what was proven gone. */
  async reap(belongs: (owner: Owner) => boolean): Promise<StoppedTree[]> {
    const services = [...this.services.values()].filter((one) => !one.atRest && belongs(one.owner));
    for (const [name, owner] of this.#pending) {
      if (!belongs(owner)) continue;
      this.#pending.delete(name);
      this.services.get(name)?.pending.end();
    }
    this.#changed();
    if (this.#everythingFor !== null && belongs(this.#everythingFor)) this.#everythingFor = null;
    const commands = [...this.commands.values()].filter((one) => belongs(one.owner));
    const [stopped, ended] = await Promise.all([
      services.length > 0 ? this.stop(services.map((one) => one.name)) : [],
      Promise.all(commands.map(async (one) => ({ name: one.tree.record.name, proof: (await one.stop()).proof }))),
    ]);
    return [...stopped.flatMap(({ name, proof }) => (proof === null ? [] : [{ name, proof }])), ...ended];
  }

  /** Ends everything, for good: services, runs and commands. */
  async drain(): Promise<StoppedTree[]> {
    this.#stopping = true;
    this.#pending.clear();
    const runs = Promise.all([...this.runs.values()].map((run) => run.cancel()));
    const reaped = await this.reap(() => true);
    const tasks = (await runs)
      .flat()
      .flatMap((task) => (task.proof === null ? [] : [{ name: task.config.name, proof: task.proof }]));
    return [...reaped, ...tasks];
  }

  /** Puts another configuration in force and touches only what it concerns. */
  async apply(
    config: WorkspaceConfig,
    change: {
      added: readonly string[];
      removed: readonly string[];
      changed: readonly string[];
      retuned: readonly string[];
    },
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
    const restarted = Promise.all(running.map((service) => service.restart(service.owner)));
    const enabled = [...config.services.values()].filter((one) => one.enabled && !enabledBefore.has(one.name));
    const everythingFor = this.#everythingFor;
    const names = enabled.map((one) => one.name);
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
    }
    this.#changed();
  }

  #settleOnce(): boolean {
    if (this.#stopping) return false;
    let started = false;
    for (const [name, owner] of this.#pending) {
      const service = this.services.get(name);
      const decision = service === undefined ? null : decideStart(service.config, this.#condition);
      if (service === undefined || decision === null) this.#pending.delete(name);
      else if (decision.kind === 'start') {
        this.#pending.delete(name);
        service.start(owner);
        started = true;
        // Who waits for one that waits says so too, whichever of the two was looked at first.
      } else if (decision.kind === 'wait')
        started = service.pending.say(`waits for ${decision.on.map((one) => one.name).join(', ')}`) || started;
      else started = service.pending.say(`blocked: ${decision.because}`, decision.by) || started;
    }
    for (const run of this.runs.values()) started = run.settle((task) => decideStart(task, this.#condition)) || started;
    return started;
  }

  readonly #condition = (name: string, condition: DependencyCondition): ConditionState => {
    const service = this.services.get(name);
    if (service === undefined) return taskCondition(name, this.runs);
    const state = service.condition(condition);
    if (state.kind !== 'hopeless' || !this.#pending.has(name)) return state;
    return service.pending.blockedBy === null
      ? { kind: 'coming' }
      : { kind: 'hopeless', because: `${name} is ${service.pending.text}` };
  };

  /** What a session started and is now asked for beyond it no longer ends with that session. */
  #keep(names: readonly string[]): void {
    for (const name of names) {
      const service = this.services.get(name);
      if (service?.atRest === false && service.owner.kind === 'session') service.belongTo({ kind: 'configuration' });
    }
  }

  #judgeStart(name: string): NameOutcome {
    const service = this.services.get(name);
    if (this.#stopping) return outcome(name, 'shutting_down');
    if (service === undefined) return outcome(name, this.#config.tasks.has(name) ? 'started' : 'unknown_name');
    if (service.needsReset) return outcome(name, 'failed', null, service.failure ?? service.status.detail);
    if (!service.atRest && service.state !== 'stopping') return outcome(name, 'already_running');
    return outcome(name, 'started');
  }

  async #stopOne(name: string): Promise<NameOutcome> {
    const service = this.services.get(name);
    if (service !== undefined) {
      const ran = !service.atRest;
      const proof = await service.stop();
      return outcome(name, ran ? 'stopped' : 'not_running', proof);
    }
    const tasks = [...this.runs.values()].flatMap((run) => run.tasks.get(name) ?? []);
    if (tasks.length === 0) return outcome(name, this.#config.tasks.has(name) ? 'not_running' : 'unknown_name');
    const proofs = await Promise.all(tasks.map((task) => (task.ended ? null : task.cancel())));
    return outcome(
      name,
      proofs.some((proof) => proof !== null) ? 'stopped' : 'not_running',
      proofs.find((proof) => proof !== null) ?? null,
    );
  }

  /** The tasks that `goals` need, in one run. */
  #startRun(goals: readonly string[], owner: Owner): void {
    const tasks = withDependencies(goals, this.#entries()).flatMap((name) => this.#config.tasks.get(name) ?? []);
    if (tasks.length === 0) return;
    const run = new TaskRun(this.host, this.#nextId(), tasks, owner, () => this.settle());
    this.runs.set(run.id, run);
    forgetOldRuns(this.runs);
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
