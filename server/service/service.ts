import type { ServiceConfig } from '../config/model.ts';
import type { EmptyProof, ExitStatus } from '../process/types.ts';
import { logPath } from '../store/paths.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { FailureText } from './failure.ts';
import type { WorkspaceHost } from './host.ts';
import { adoptService, launchService } from './launchService.ts';
import { emptied, type OutwardAction, PolicyMachine } from './machine.ts';
import { Owners, ownerKind, ownerName } from './owners.ts';
import { Pending, type Waiting } from './pending.ts';
import { detail } from './policy/describe.ts';
import { isWanted, needsReset, policySettings, stateName } from './policy/policy.ts';
import type { ServiceEvent, ServiceStateName } from './policy/types.ts';
import { isRest, serviceUrl } from './standing.ts';
import type { ServiceStatus } from './status.ts';
import { type Inherited, inheritedOf, NOTHING_INHERITED, recall, remembered, stillWaiting } from './succession.ts';
import type { SupervisedTree } from './tree.ts';
import { Waiters } from './waiters.ts';
import { ServiceWatch } from './watchers.ts';

/**
 * One service: the thin shell around the pure policy. Events go through `dispatch` one at a time; the policy answers
 * with actions, and this class carries them out and turns what the world does back into events.
 */
export class ManagedService {
  /** Why it has not started although it was asked to. */
  readonly pending = new Pending((waiting) => this.#notify(waiting));
  /** Who asked for it; the first of them has it. */
  readonly owners = new Owners(() => this.#ownersChanged());
  readonly #host: WorkspaceHost;
  readonly #changed: (service: ManagedService) => void;
  readonly #machine: PolicyMachine;
  readonly #waiters = new Waiters();
  #inherited: Inherited = NOTHING_INHERITED;
  #config: ServiceConfig;
  #tree: SupervisedTree | null = null;
  #launching: Promise<void> | null = null;
  #watch: ServiceWatch | null = null;
  #port: number | null = null;
  #proof: EmptyProof | null = null;
  #readyAt: number | null = null;
  readonly #failure = new FailureText();
  /** Where the output of the last incarnation begins, also once its tree is gone. */
  #outputOffset = 0;

  constructor(config: ServiceConfig, host: WorkspaceHost, changed: (service: ManagedService) => void) {
    this.#config = config;
    this.#host = host;
    this.#changed = changed;
    this.#machine = new PolicyMachine(host, () => policySettings(this.#config), {
      perform: (action) => this.#perform(action),
      timed: (event) => this.dispatch(event),
    });
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): ServiceConfig {
    return this.#config;
  }

  get state(): ServiceStateName {
    return stateName(this.#machine.state);
  }

  /** Number of the last start; 0 before the first. */
  get incarnation(): number {
    return this.#machine.state.incarnation;
  }

  get owner(): Owner {
    return this.owners.first;
  }

  get tree(): SupervisedTree | null {
    return this.#tree;
  }

  /** It has failed in a way that only `reset` leaves. */
  get needsReset(): boolean {
    return needsReset(this.#machine.state);
  }

  /** The last stop's or restart's proof that the tree was empty. */
  get lastProof(): EmptyProof | null {
    return this.#proof;
  }

  /** The whole text of a spent budget: count, window, last exit, what was reaped, last lines, how to go on. */
  get failure(): string | null {
    return this.#failure.text;
  }

  get log(): string {
    return logPath(this.#host.stateDir, this.name);
  }

  /** It runs and is to go on running, or it will run without being asked again. */
  get wanted(): boolean {
    return isWanted(this.#machine.state);
  }

  /** Nothing of it runs, is about to run, or is being ended. */
  get atRest(): boolean {
    return this.#tree === null && this.#launching === null && isRest(this.state);
  }

  /** New numbers apply from the next event on; what needs a restart is the supervisor's decision. */
  retune(config: ServiceConfig): void {
    this.#config = config;
    this.#watch?.retune(config);
    this.#notify();
  }

  start(owner: Owner): void {
    this.pending.end();
    this.owners.begin(owner);
    this.dispatch({ type: 'start' });
  }

  /**
   * Resolves when nothing of what runs now is there any more, with the proof of it (`null`: nothing ran). A start that
   * is asked for meanwhile is not waited out.
   */
  async stop(): Promise<EmptyProof | null> {
    this.pending.end();
    const ran = !this.atRest && (this.#tree !== null || this.#launching !== null);
    const { incarnation } = this.#machine.state;
    this.dispatch({ type: 'stop' });
    await this.until(() => this.atRest || this.#machine.state.incarnation > incarnation);
    return ran ? this.#proof : null;
  }

  /** Resolves once the next incarnation was spawned, or could not be. */
  async restart(): Promise<void> {
    const next = this.#machine.state.incarnation + 1;
    this.dispatch({ type: 'restart' });
    const over = (incarnation: number): boolean =>
      incarnation > next || (incarnation === next && this.#launching === null);
    await this.until(() => this.atRest || over(this.#machine.state.incarnation));
  }

  /** `false` unless the service was in `failed`. */
  reset(): boolean {
    if (this.state !== 'failed') return false;
    this.dispatch({ type: 'reset' });
    return true;
  }

  /**
   * Goes on with the budgets of an earlier supervisor. With `hasTree` a tree of it is on record, and `adopt` follows;
   * otherwise the answer is for whom it was to run: `null` for nobody.
   */
  restore(json: unknown, hasTree: boolean): Owner | null {
    const restored = recall(json);
    if (restored === null) return null;
    this.#machine.state = restored.state;
    this.owners.restore(restored.owners);
    if (hasTree) this.#inherited = inheritedOf(restored);
    if (this.state === 'failed') void this.#explainFailure();
    if (!hasTree && restored.waiting !== null) {
      this.#machine.state = stillWaiting(restored.waiting, this.#host.now());
      this.dispatch(emptied(restored.waiting.incarnation, null));
      return null;
    }
    return !hasTree && restored.wanted ? this.owner : null;
  }

  /** Takes over a live incarnation that an earlier supervisor started. */
  adopt(record: TreeRecord): void {
    if (this.owners.all.length === 0) this.owners.restore([record.owner]);
    this.#port = record.ports[0] ?? null;
    if (this.#port !== null) this.#host.ports.reserve(this.#port, this.name);
    this.#readyAt = record.readyAt;
    const { incarnation, readyAt, startedAt } = record;
    this.#follow(adoptService(this.#host, this.#config, record), incarnation);
    this.dispatch({ type: 'adopted', incarnation, ready: readyAt !== null, startedAt });
    if (this.#inherited.next !== null) this.dispatch({ type: this.#inherited.next });
    this.#inherited = NOTHING_INHERITED;
  }

  /** Resolves when `condition` holds; it is looked at after every event. `false`: the signal came first. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<boolean> {
    return this.#waiters.until(condition, signal);
  }

  dispatch(event: ServiceEvent): void {
    const dispatched = this.#machine.dispatch(event);
    if (dispatched === 'nested') return;
    if (dispatched === 'changed') {
      if (this.state !== 'failed') this.#failure.clear();
      this.#remember();
    }
    // A probe that succeeds as ever is news for nobody.
    if (dispatched === 'changed' || event.type !== 'live') this.#notify();
  }

  /** Measures the tree's memory anew unless that was done a moment ago. */
  async refreshMemory(): Promise<void> {
    await this.#watch?.refreshMemory();
  }

  get status(): ServiceStatus {
    const tree = this.#tree;
    return {
      name: this.name,
      kind: this.#config.kind,
      state: this.state,
      pid: tree?.pid ?? null,
      incarnation: this.#machine.state.incarnation,
      restarts: this.#machine.state.restarts,
      crashes: this.#machine.state.accounting.crashes,
      lastExit: this.#machine.lastExit,
      memoryMb: this.#watch?.memoryMb ?? null,
      port: tree === null ? null : this.#port,
      url: tree === null ? null : serviceUrl(this.#config, this.#port),
      owner: ownerName(this.owner),
      ownerKind: ownerKind(this.owner),
      readyAt: tree === null ? null : this.#readyAt,
      log: this.log,
      detail: this.pending.text ?? detail(this.#machine.state, this.#host.now(), this.name),
      startedAt: tree?.record.startedAt ?? null,
      respawnAt: this.state === 'backoff' ? this.#machine.dueAt('respawn') : null,
      blockedBy: this.pending.blockedBy,
      failure: this.#failure.text,
      enabled: this.#config.enabled,
      outputOffset: this.#outputOffset,
    };
  }

  #perform(action: OutwardAction): void {
    switch (action.type) {
      case 'spawn':
        this.#beginLaunch(action.incarnation);
        return;
      case 'terminate':
      case 'reap':
        void this.#end(action.type, action.incarnation);
        return;
      case 'watch':
        this.#watch?.begin(action.what);
        return;
      case 'unwatch':
        this.#watch?.end();
        return;
      case 'journal': {
        const { event, ...fields } = action.entry;
        if (event === 'service_ready') this.#readyAt = Date.now();
        if (event === 'service_ready') this.#tree?.remember({ readyAt: this.#readyAt });
        const facts = event === 'service_spawned' || event === 'adopted' ? this.#tree?.facts : {};
        this.#host.journal(event, { name: this.name, ...facts, ...fields });
        if (event === 'breaker_open' || event === 'service_failed') void this.#explainFailure();
        return;
      }
      default:
        action satisfies never;
    }
  }

  #beginLaunch(incarnation: number): void {
    const launching = this.#launch(incarnation).finally(() => {
      // With no delay the policy spawns again within the answer to a failed launch: that one is not over.
      if (this.#launching === launching) this.#launching = null;
      this.#notify();
    });
    this.#launching = launching;
  }

  async #launch(incarnation: number): Promise<void> {
    this.#readyAt = null;
    const started = await launchService(this.#host, this.#config, {
      incarnation,
      owner: this.owner,
      previousPort: this.#port,
      log: this.log,
    });
    // A failed start may not have come to choosing one.
    this.#port = started.ok ? started.port : (started.port ?? this.#port);
    if (!started.ok) {
      this.dispatch({ type: 'spawn_failed', incarnation, message: started.message, reason: started.reason });
      return;
    }
    this.#follow(started.tree, incarnation);
    this.dispatch({ type: 'spawned', incarnation });
  }

  #follow(tree: SupervisedTree, incarnation: number): void {
    this.#tree = tree;
    // It may have been handed over while it was launched.
    if (tree.record.owner !== this.owner) tree.remember({ owner: this.owner });
    this.#outputOffset = tree.record.outputOffset;
    this.#watch = new ServiceWatch(this.#config, this.#host, tree, this.#port, (event) => this.dispatch(event));
    if (this.#inherited.exitTold) return;
    void tree.exited.then((status: ExitStatus) => this.dispatch({ type: 'exited', incarnation, status }));
  }

  /** A launch in flight is waited for first, so that a stop during it leaves nothing behind. */
  async #end(how: 'terminate' | 'reap', incarnation: number): Promise<void> {
    await this.#launching;
    const tree = this.#tree;
    if (tree === null || tree.record.incarnation !== incarnation) {
      this.#proof = null;
      this.dispatch(emptied(incarnation, null));
      return;
    }
    const { stopSignal, stopTimeoutMs } = this.#config;
    const proof = how === 'reap' ? await tree.reap() : await tree.terminate({ stopSignal, stopTimeoutMs });
    // With the leader gone its exit is told first: the policy accounts for it before the tree counts as empty.
    if (proof.survivors.length === 0) await tree.exited;
    this.#watch?.end();
    this.#watch = null;
    this.#tree = null;
    this.#proof = proof;
    this.dispatch(emptied(incarnation, proof));
    tree.release(proof);
  }

  async #explainFailure(): Promise<void> {
    if (await this.#failure.explain(() => this.#machine.state, this.name, this.log, this.#outputOffset)) this.#notify();
  }

  #remember(): void {
    this.#host.registry.setService(this.name, remembered(this.#machine, this.owners.all, this.log));
  }

  #ownersChanged(): void {
    this.#tree?.remember({ owner: this.owner });
    // The one who asked for what has not started yet stands in the intent.
    if (!this.atRest || this.owners.all.length > 1) this.#remember();
    this.#notify();
  }

  #notify(waiting?: Waiting): void {
    if (waiting !== undefined) this.#host.journal('service_waiting', { name: this.name, ...waiting });
    if (this.#port !== null && this.atRest) this.#host.ports.release(this.#port, this.name);
    this.#waiters.look();
    this.#changed(this);
  }
}
