import type { TaskConfig } from '../config/model.ts';
import type { EmptyProof, ExitStatus, TreeIdentity } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { newMarker, SupervisedTree, startTree } from '../service/tree.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { type AttemptEnd, afterAttempt, type Interruption, interruptionOf, timeLeft } from './policy.ts';
import { isEnded, type TaskProgress, type TaskTerms } from './progress.ts';
import type { TaskStateName, TaskStatus } from './status.ts';

export interface TaskPlace {
  readonly runId: string;
  readonly owner: () => Owner;
  readonly log: string;
  readonly exitRecordPath: (attempt: number) => string;
  /** Writes the progress down; nothing is done or told that a successor could not know of. */
  readonly save: (task: RunTask) => void;
  readonly changed: () => void;
}

/** One task in one run: started at most once, `retries` apart; its tree is proven empty before it counts as ended. */
export class RunTask {
  readonly terms: TaskTerms;
  /** What is launched; `null` for a task that the configuration does not have any more. */
  readonly config: TaskConfig | null;
  readonly #host: WorkspaceHost;
  readonly #place: TaskPlace;
  #progress: TaskProgress;
  #tree: SupervisedTree | null = null;
  #done: Promise<void> | null = null;
  /** What stopping it proved. */
  proof: EmptyProof | null = null;

  constructor(
    host: WorkspaceHost,
    place: TaskPlace,
    terms: TaskTerms,
    config: TaskConfig | null,
    progress: TaskProgress,
  ) {
    this.#host = host;
    this.#place = place;
    this.terms = terms;
    this.config = config;
    this.#progress = progress;
  }

  get name(): string {
    return this.terms.name;
  }

  get state(): TaskStateName {
    return this.#progress.state;
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  get tree(): SupervisedTree | null {
    return this.#tree;
  }

  get ended(): boolean {
    return isEnded(this.state);
  }

  /** Somebody carries it to its end. */
  get attended(): boolean {
    return this.#done !== null;
  }

  get key(): string {
    return `task/${this.#place.runId}/${this.name}`;
  }

  get status(): TaskStatus {
    const { state, exitCode, startedAt, finishedAt, detail } = this.#progress;
    return { name: this.name, state, exitCode, startedAt, finishedAt, log: this.#place.log, detail };
  }

  waitFor(text: string): void {
    if (this.state !== 'waiting' || this.#progress.detail === text) return;
    this.#set({ detail: text });
    this.#place.changed();
  }

  /** A dependency can no longer be met. */
  block(because: string): void {
    if (this.state === 'waiting') this.settle('blocked', null, because);
  }

  start(): void {
    if (this.state !== 'waiting') return;
    this.#set({ state: 'running', detail: null, startedAt: Date.now() });
    this.#beginAttempt(1);
    this.tellStarted();
    this.#done = this.#run(this.#launch());
    this.#place.changed();
  }

  tellStarted(): void {
    this.#host.journal('task_started', { run: this.#place.runId, name: this.name });
  }

  tellRetried(): void {
    const { attempt, detail } = this.#progress;
    const { name, terms } = this;
    this.#host.journal('task_retried', { run: this.#place.runId, name, attempt, attempts: terms.retries + 1, detail });
  }

  tellFinished(): void {
    const { state, exitCode, startedAt, finishedAt, detail } = this.#progress;
    const durationMs = startedAt === null || finishedAt === null ? 0 : finishedAt - startedAt;
    const { name } = this;
    this.#host.journal('task_finished', { run: this.#place.runId, name, state, exitCode, durationMs, detail });
  }

  /** What the registry would hold of its newest attempt. */
  recordOf(tree: TreeIdentity): TreeRecord {
    const { attempt, attemptStartedAt } = this.#progress;
    return {
      key: this.key,
      name: this.name,
      role: 'task',
      incarnation: attempt,
      tree,
      owner: this.#place.owner(),
      onSupervisorLoss: this.terms.onSupervisorLoss,
      logPath: this.#place.log,
      outputOffset: 0,
      exitRecordPath: this.#place.exitRecordPath(attempt),
      ports: [],
      startedAt: attemptStartedAt ?? this.#host.now(),
      readyAt: null,
      environment: [],
      lineage: [],
    };
  }

  /** Goes on with a tree that an earlier supervisor started; `exitedAt`, when its leader had ended, if it has. */
  adopt(record: TreeRecord, exitedAt: number | null, lost: boolean): void {
    if (this.attended || this.state !== 'running') return;
    const tree = SupervisedTree.adopt(this.#host, record, {});
    this.#done = this.#run(this.#follow(tree, exitedAt, lost));
    this.#place.changed();
  }

  /** Goes on after an attempt of which nothing is left. `lost`: it ended with its supervisor. */
  conclude(status: ExitStatus, at: number | null, lost: boolean): void {
    const asked = at === null ? null : interruptionOf(this.#progress, at);
    const interruption = asked ?? (lost ? 'supervisor_lost' : null);
    this.#done = this.#run(Promise.resolve({ kind: 'ended', status, interruption }));
  }

  /** Launches the attempt that an earlier supervisor had decided upon. */
  launchAgain(): void {
    this.#beginAttempt(Math.max(1, this.#progress.attempt));
    this.#done = this.#run(this.#launch());
  }

  /** From now on it is known, also to a successor once that is saved, that it is to end. */
  markCanceled(): void {
    if (!this.ended && this.#progress.canceledAt === null) this.#set({ canceledAt: Date.now() });
  }

  /** Resolves when its tree is proven empty. */
  async cancel(): Promise<EmptyProof | null> {
    if (!this.ended && this.#progress.canceledAt === null) {
      this.markCanceled();
      this.#place.save(this);
    }
    if (this.state === 'waiting') this.settle('canceled', null, 'canceled before it started');
    if (this.#tree !== null) await this.#tree.terminate(this.terms);
    await this.#done;
    return this.proof;
  }

  /** Enters an end that the journal has already. */
  settleAsTold(state: TaskStateName, exitCode: number | null): void {
    this.#set({ state, exitCode, detail: null, finishedAt: Date.now() });
    this.#place.save(this);
  }

  /** Enters its end: first in `run.json`, then in the journal, so that no successor has to guess it. */
  settle(state: TaskStateName, exitCode: number | null, detail: string | null, release?: () => void): void {
    this.#set({ state, exitCode, detail, finishedAt: Date.now() });
    this.#place.save(this);
    this.tellFinished();
    release?.();
    this.#place.changed();
  }

  #set(changes: Partial<TaskProgress>): void {
    this.#progress = { ...this.#progress, ...changes };
  }

  #beginAttempt(attempt: number): void {
    const marker = newMarker(this.#host.id, this.name, attempt);
    this.#set({ attempt, marker, attemptStartedAt: this.#host.now(), timedOutAt: null });
    this.#place.save(this);
  }

  async #run(attempt: Promise<AttemptEnd>): Promise<void> {
    for (let running = attempt; ; running = this.#launch()) {
      const end = await running;
      const tree = this.#tree;
      this.#tree = null;
      const survived = (this.proof?.survivors.length ?? 0) > 0;
      const next = afterAttempt(this.terms, this.#progress, end, survived);
      const exitCode = end.kind === 'ended' ? end.status.code : this.#progress.exitCode;
      // The tree is forgotten once its end is on record, so that a successor is never without both.
      const release = (): void => {
        if (tree !== null && this.proof !== null) tree.release(this.proof);
      };
      if (next.kind === 'settle' || this.config === null) {
        const state = next.kind === 'settle' ? next.state : 'failed';
        this.settle(state, exitCode, next.detail, release);
        return;
      }
      this.#set({ exitCode, detail: next.detail });
      this.#beginAttempt(this.#progress.attempt + 1);
      this.tellRetried();
      release();
      this.#place.changed();
    }
  }

  async #launch(): Promise<AttemptEnd> {
    const { config } = this;
    const { attempt, marker } = this.#progress;
    if (config === null) return { kind: 'not_started', message: 'the configuration does not have it any more' };
    const started = await startTree(this.#host, {
      key: this.key,
      name: this.name,
      role: 'task',
      incarnation: attempt,
      owner: this.#place.owner(),
      onSupervisorLoss: this.terms.onSupervisorLoss,
      stop: this.terms,
      command: config.command,
      cwd: config.cwd,
      baseEnvironment: this.#host.environment(),
      env: config.env,
      envFiles: config.envFiles,
      stdin: config.stdin,
      port: null,
      logPath: this.#place.log,
      exitRecordPath: this.#place.exitRecordPath(attempt),
      ...(marker === null ? {} : { marker }),
    });
    if (!started.ok) return { kind: 'not_started', message: started.message };
    return this.#follow(started.tree, null, false);
  }

  /** Follows a tree to its end. `lost`: it is one that is to end with its supervisor. */
  async #follow(tree: SupervisedTree, exitedAt: number | null, lost: boolean): Promise<AttemptEnd> {
    this.#tree = tree;
    this.#place.changed();
    const { timeoutMs } = this.terms;
    const { attemptStartedAt, canceledAt, timedOutAt } = this.#progress;
    let timer: NodeJS.Timeout | undefined;
    if (lost || canceledAt !== null || timedOutAt !== null) void tree.terminate(this.terms);
    else if (timeoutMs !== null) {
      const overtime = (): void => {
        this.#set({ timedOutAt: Date.now() });
        this.#place.save(this);
        void tree.terminate(this.terms);
      };
      timer = setTimeout(overtime, Math.min(timeLeft(timeoutMs, attemptStartedAt, this.#host.now()), LONGEST_TIMER_MS));
    }
    const why = (at: number | null): Interruption | null =>
      interruptionOf(this.#progress, at) ?? (lost ? 'supervisor_lost' : null);
    let interruption: Interruption | null | undefined;
    void tree.exited.then(() => {
      clearTimeout(timer);
      interruption = why(exitedAt);
    });
    const { status, proof } = await tree.conclude();
    clearTimeout(timer);
    this.proof = proof;
    return { kind: 'ended', status, interruption: interruption === undefined ? why(null) : interruption };
  }
}

/** A longer delay makes a Node timer fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
