import { mkdirSync, rmSync } from 'node:fs';
import type { TaskConfig } from '../config/model.ts';
import { readExitRecord } from '../process/exitRecord.ts';
import type { ExitRecord } from '../process/types.ts';
import type { GraphEntry, StartDecision } from '../service/dependencies.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { Owners, ownerKind, ownerName } from '../service/owners.ts';
import { runFolder, runsFolder } from '../store/paths.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { continueTask } from './policy.ts';
import { NOT_BEGUN, termsOf } from './progress.ts';
import { type RunFile, type TaskEntry, taskExitPath, taskLogPath } from './runFile.ts';
import { RunRecord, type WholeRun } from './runRecord.ts';
import type { RunStatus } from './status.ts';
import { RunTask } from './task.ts';
import type { ToldRun } from './told.ts';

/** One execution of a task graph: every task of it is started at most once. Kept in `runs/<id>/run.json`. */
export class TaskRun {
  readonly id: string;
  /** Who asked for it; the first of them has it. */
  readonly owners: Owners;
  readonly tasks: ReadonlyMap<string, RunTask>;
  readonly #host: WorkspaceHost;
  readonly #createdAt: number;
  readonly #changed: () => void;
  readonly #record: RunRecord;
  /** Its end stands in the journal. */
  #closed: boolean;
  /** Told by an earlier supervisor that could not write it down. */
  #endIsTold = false;

  private constructor(
    host: WorkspaceHost,
    file: RunFile,
    configs: ReadonlyMap<string, TaskConfig>,
    changed: () => void,
  ) {
    const { id, owners, createdAt, closed, change } = file;
    this.id = id;
    this.owners = new Owners(() => this.#ownersChanged(), owners);
    this.#host = host;
    this.#createdAt = createdAt;
    this.#closed = closed;
    this.#changed = changed;
    this.#record = new RunRecord(host, id, change, () => this.#whole());
    const task = ({ terms, progress }: TaskEntry): RunTask => {
      const place = {
        runId: id,
        owner: () => this.owners.first,
        log: taskLogPath(host.stateDir, id, terms.name),
        exitRecordPath: (attempt: number) => taskExitPath(host.stateDir, id, terms.name, attempt),
        save: (saved: RunTask) => this.#record.saveTasks([saved]),
        changed: () => this.#progressed(),
      };
      return new RunTask(host, place, terms, configs.get(terms.name) ?? null, progress);
    };
    this.tasks = new Map(file.tasks.map((entry) => [entry.terms.name, task(entry)]));
  }

  /** Begins a run. It is on record before it is told of, and before any of its tasks is started. */
  static begin(
    host: WorkspaceHost,
    id: string,
    configs: readonly TaskConfig[],
    owner: Owner,
    changed: () => void,
  ): TaskRun {
    // Not with the folder above them: a state directory that was removed is brought back by nobody (R89).
    for (const folder of [runsFolder(host.stateDir), runFolder(host.stateDir, id)]) {
      try {
        mkdirSync(folder, { mode: 0o700 });
      } catch {
        // It is there, or the disk is full, which each task's own start says in words.
      }
    }
    const tasks = configs.map((config) => ({ terms: termsOf(config), progress: NOT_BEGUN }));
    const file = { id, owners: [owner], createdAt: Date.now(), closed: false, change: 0, tasks };
    const run = new TaskRun(host, file, new Map(configs.map((config) => [config.name, config])), changed);
    run.#record.saveWhole();
    run.#tellStarted();
    return run;
  }

  /** A run of an earlier supervisor, as it was left; `resume` goes on with it. */
  static restore(
    host: WorkspaceHost,
    file: RunFile,
    configs: ReadonlyMap<string, TaskConfig>,
    changed: () => void,
  ): TaskRun {
    return new TaskRun(host, file, configs, changed);
  }

  get status(): RunStatus {
    const owner = this.owners.first;
    const whose = { owner: ownerName(owner), ownerKind: ownerKind(owner) };
    return { id: this.id, state: this.#state, ...whose, tasks: [...this.tasks.values()].map((task) => task.status) };
  }

  get ended(): boolean {
    return [...this.tasks.values()].every((task) => task.ended);
  }

  /** Its end stands in the journal: there is nothing more to do for it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Starts or blocks what waits, as `decide` says; `true` when anything moved. */
  settle(decide: (task: GraphEntry) => StartDecision): boolean {
    if (this.#closed) return false;
    let moved = false;
    for (const task of this.tasks.values()) {
      if (task.state !== 'waiting') continue;
      const decision = decide(task.terms);
      switch (decision.kind) {
        case 'start':
          task.start();
          moved = true;
          break;
        case 'blocked':
          task.block(decision.because);
          moved = true;
          break;
        case 'wait':
          task.waitFor(`waits for ${decision.on.map((one) => one.name).join(', ')}`);
          break;
        default:
          decision satisfies never;
      }
    }
    return moved;
  }

  /** Ends every task that has not ended; resolves when their trees are proven empty. */
  async cancel(): Promise<readonly RunTask[]> {
    const open = [...this.tasks.values()].filter((task) => !task.ended);
    if (open.length === 0) return open;
    // All or none: a supervisor that is killed in between leaves no task to be started by its successor.
    for (const task of open) task.markCanceled();
    this.#record.saveTasks(open);
    await Promise.all(open.map((task) => task.cancel()));
    return open;
  }

  /** The task that a tree on record belongs to, if that is its newest attempt and it is not followed yet. */
  expecting(marker: string): RunTask | undefined {
    const start = (task: RunTask): string => task.progress.marker ?? `${this.#host.id}/${task.name}/`;
    // Of a run that was rebuilt, a start may be known by name only.
    const isIt = (task: RunTask): boolean =>
      task.progress.marker === null ? marker.startsWith(start(task)) : marker === start(task);
    return [...this.tasks.values()].find((task) => task.state === 'running' && !task.attended && isIt(task));
  }

  /** Goes on with everything that no tree was adopted for, and tells what the supervisor before could not tell. */
  resume(told: ToldRun): void {
    if (this.#closed) return;
    this.#endIsTold = told.finished;
    if (told.startedAt === null) this.#tellStarted();
    for (const task of this.tasks.values()) {
      const { startedAt, attempt, finishedAt } = task.progress;
      if (startedAt !== null && !told.tasksStarted.has(task.name)) task.tellStarted();
      if (attempt > 1 && finishedAt === null && attempt > (told.tasksRetried.get(task.name) ?? 1)) task.tellRetried();
    }
    for (const task of this.tasks.values()) {
      if (!task.attended) this.#resumeTask(task, told);
    }
    this.#close();
  }

  /** Writes the whole of it down, where it was rebuilt. */
  save(): void {
    this.#record.saveWhole();
  }

  /** Removes its files; only once it has ended. */
  forget(): void {
    this.#record.close();
    try {
      rmSync(runFolder(this.#host.stateDir, this.id), { recursive: true, force: true });
    } catch {
      // What is left is tried again when the next supervisor tidies up.
    }
  }

  /** How the leader of its newest attempt ended, as far as that is on record. */
  exitOf(task: RunTask): ExitRecord | 'corrupt' | null {
    try {
      return readExitRecord(taskExitPath(this.#host.stateDir, this.id, task.name, task.progress.attempt));
    } catch {
      return null;
    }
  }

  #resumeTask(task: RunTask, told: ToldRun): void {
    const onRecord: TreeRecord | null = this.#host.registry.get(task.key);
    const next = continueTask(task.progress, {
      tree: onRecord !== null && onRecord.tree.marker === task.progress.marker,
      exit: this.exitOf(task),
      told: told.tasksFinished.get(task.name) ?? null,
      configured: task.config !== null,
    });
    switch (next.kind) {
      case 'ended':
        if (!told.tasksFinished.has(task.name)) task.tellFinished();
        return;
      // What is on record and was not adopted cannot be verified just now; it is never started beside.
      case 'follow':
      case 'wait':
        return;
      case 'told':
        task.settleAsTold(next.state, next.exitCode);
        return;
      case 'cancel':
        task.settle('canceled', null, next.detail);
        return;
      case 'conclude':
        task.conclude(next.status, next.at, next.lost);
        return;
      case 'launch':
        task.launchAgain();
        return;
      default:
        next satisfies never;
    }
  }

  get #state(): RunStatus['state'] {
    const states = [...this.tasks.values()].map((task) => task.state);
    if (!this.ended) return 'running';
    if (states.some((state) => state === 'canceled')) return 'canceled';
    return states.every((state) => state === 'succeeded' || state === 'cached') ? 'succeeded' : 'failed';
  }

  #ownersChanged(): void {
    this.#record.saveWhole();
    for (const task of this.tasks.values()) task.tree?.remember({ owner: this.owners.first });
    this.#changed();
  }

  #progressed(): void {
    this.#close();
    this.#changed();
  }

  #close(): void {
    if (!this.ended || this.#closed) return;
    this.#closed = true;
    if (!this.#endIsTold) this.#host.journal('run_finished', { run: this.id, state: this.#state });
    this.#record.saveWhole();
  }

  #tellStarted(): void {
    this.#host.journal('run_started', { run: this.id, tasks: [...this.tasks.keys()] });
  }

  #whole(): ReturnType<WholeRun> {
    const tasks = [...this.tasks.values()].map(({ terms, progress }) => ({ terms, progress }));
    const file = { id: this.id, owners: this.owners.all, createdAt: this.#createdAt, closed: this.#closed, tasks };
    return { file, state: this.#state };
  }
}
