import { existsSync } from 'node:fs';
import type { TaskConfig } from '../config/model.ts';
import type { EmptyProof, TreeIdentity } from '../process/types.ts';
import type { ConditionState, GraphEntry, StartDecision } from '../service/dependencies.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { allOver } from '../service/order.ts';
import { runFolder } from '../store/paths.ts';
import { quarantineFile } from '../store/quarantine.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { isLost } from './policy.ts';
import { filesOfRun, rebuildRun } from './rebuild.ts';
import { TaskRun } from './run.ts';
import { type RunFile, readChanges, readRuns, runFilePath, withChanges } from './runFile.ts';
import type { RunTask } from './task.ts';
import { readTold, type ToldRun, UNTOLD } from './told.ts';

/** So many ended runs are kept, with their files. */
export const KEPT_RUNS = 20;

/** The runs of a workspace, the oldest first: those under way, and the last that ended. */
export class Runs {
  readonly #runs = new Map<string, TaskRun>();
  readonly #host: WorkspaceHost;
  readonly #changed: () => void;
  #told: ReadonlyMap<string, ToldRun> = new Map();
  /** Runs of which nothing can be known just now: they are left as they are. */
  readonly #unreadable = new Set<string>();
  /** What an earlier supervisor left is being taken over: nothing is decided by halves. */
  #held = false;

  constructor(host: WorkspaceHost, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  values(): IterableIterator<TaskRun> {
    return this.#runs.values();
  }

  get(id: string): TaskRun | undefined {
    return this.#runs.get(id);
  }

  /** Something is under way. */
  get busy(): boolean {
    return [...this.#runs.values()].some((run) => !run.ended);
  }

  /** The run in which a task is under way. */
  underWay(task: string): TaskRun | undefined {
    return [...this.#runs.values()].find((run) => run.tasks.get(task)?.ended === false);
  }

  /** How the newest run of a task stands towards the condition `succeeded`. */
  condition(name: string): ConditionState {
    const task = [...this.#runs.values()].findLast((run) => run.tasks.has(name))?.tasks.get(name);
    if (task === undefined) return { kind: 'hopeless', because: `${name} was not run` };
    if (!task.ended) return { kind: 'coming' };
    if (task.state === 'succeeded' || task.state === 'cached') return { kind: 'met' };
    return { kind: 'hopeless', because: `${name} ended as ${task.state}` };
  }

  /** Begins a run of those of `tasks` that are not under way in another; none is started by this yet. */
  begin(id: string, tasks: readonly TaskConfig[], owner: Owner): void {
    const wanted = tasks.filter((task) => this.underWay(task.name) === undefined);
    if (wanted.length === 0) return;
    const run = TaskRun.begin(this.#host, id, wanted, owner, this.#changed);
    this.#runs.set(id, run);
    this.#forgetOld();
  }

  /** Starts or blocks what waits, as `decide` says; `true` when anything moved. */
  settle(decide: (task: GraphEntry) => StartDecision): boolean {
    if (this.#held) return false;
    let moved = false;
    for (const run of this.#runs.values()) moved = run.settle(decide) || moved;
    return moved;
  }

  /** Ends a task wherever it is under way; `null` for one that no run has. */
  async stopTask(name: string): Promise<readonly EmptyProof[] | null> {
    const tasks = [...this.#runs.values()].flatMap((run) => run.tasks.get(name) ?? []);
    if (tasks.length === 0) return null;
    const proofs = await allOver(tasks.filter((task) => !task.ended).map((task) => task.cancel()));
    return proofs.filter((proof) => proof !== null);
  }

  /** Reads what earlier supervisors left of runs; until `resume` nothing of it moves. */
  restore(configs: ReadonlyMap<string, TaskConfig>): void {
    const { stateDir } = this.#host;
    this.#held = true;
    const readings = readRuns(stateDir);
    const open = readings.flatMap((one) => (one.kind === 'run' ? (one.run.closed ? [] : [one.run.id]) : [one.id]));
    this.#told = readTold(stateDir, new Set(open));
    const files = readings.flatMap((reading) => {
      if (reading.kind === 'run') return [reading.run];
      if (reading.kind !== 'unreadable') return this.#rebuild(reading, configs) ?? [];
      this.#unreadable.add(reading.id);
      this.#host.journal('health_warn', { reason: 'run_unreadable', detail: reading.detail });
      return [];
    });
    const whole = new Set(readings.flatMap((one) => (one.kind === 'run' ? [one.run.id] : [])));
    for (const file of files.sort((a, b) => a.createdAt - b.createdAt)) {
      const run = TaskRun.restore(this.#host, file, configs, this.#changed);
      this.#runs.set(file.id, run);
      if (!whole.has(file.id)) run.save();
    }
    this.#forgetOld();
  }

  /** Whose newest attempt this marker is of, if nobody follows that yet. */
  expecting(marker: string): { readonly run: TaskRun; readonly task: RunTask } | null {
    for (const run of this.#runs.values()) {
      const task = run.expecting(marker);
      if (task !== undefined) return { run, task };
    }
    return null;
  }

  /** What the registry would hold of a tree that was launched for a task and not entered any more; `null` for others. */
  recordOf(tree: TreeIdentity): TreeRecord | null {
    const expected = this.expecting(tree.marker);
    // Its leader has ended by then: what carries the marker still is only the rest of it.
    if (expected === null || expected.run.exitOf(expected.task) !== null) return null;
    return expected.task.recordOf(tree);
  }

  /** Takes a tree over; `false` when it is not that of a task's newest attempt. */
  adopt(record: TreeRecord): boolean {
    const expected = this.expecting(record.tree.marker);
    if (expected === null) return [...this.#unreadable].some((id) => record.key.startsWith(`task/${id}/`));
    const exit = expected.run.exitOf(expected.task);
    const known = exit === null || exit === 'corrupt' ? null : exit;
    expected.task.adopt(record, known?.at ?? null, isLost(record, known));
    return true;
  }

  /** Goes on with all that was left, once every tree on record is taken over. */
  resume(): void {
    for (const run of this.#runs.values()) run.resume(this.#told.get(run.id) ?? UNTOLD);
    this.#told = new Map();
    this.#held = false;
  }

  /** A run without a record that can be understood, from what else tells of it. */
  #rebuild(
    { kind, id }: { readonly kind: 'corrupt' | 'absent'; readonly id: string },
    configs: ReadonlyMap<string, TaskConfig>,
  ): RunFile | null {
    const { stateDir, registry } = this.#host;
    const path = runFilePath(stateDir, id);
    const aside = kind === 'corrupt' ? quarantineFile(path) : null;
    const traces = {
      told: this.#told.get(id) ?? UNTOLD,
      records: registry.records().filter((one) => one.key.startsWith(`task/${id}/`)),
      files: filesOfRun(stateDir, id),
    };
    const run = rebuildRun(id, traces, configs, Date.now());
    // A folder whose supervisor was killed before it could write the record: nothing of it was begun.
    if (kind === 'absent' && run === null) return null;
    this.#host.journal('state_set_aside', { kind: `run_${kind}`, path, aside, rebuilt: run !== null });
    return run === null ? null : withChanges(run, readChanges(stateDir, id));
  }

  /** Of an ended run whose folder somebody has removed nothing is left to look at: it is not shown any more. */
  forgetRemoved(): void {
    const gone = [...this.#runs.values()].filter(
      (run) => run.ended && run.closed && !existsSync(runFolder(this.#host.stateDir, run.id)),
    );
    for (const run of gone) this.#runs.delete(run.id);
    if (gone.length > 0) this.#changed();
  }

  /** Drops the oldest ended runs beyond those that are kept, and their folders. */
  #forgetOld(): void {
    const ended = [...this.#runs.values()].filter((run) => run.ended && run.closed);
    for (const run of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS))) {
      this.#runs.delete(run.id);
      if (this.#host.holds()) run.forget();
    }
  }
}
