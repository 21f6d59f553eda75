import type { TaskConfig } from '../config/model.ts';
import type { EmptyProof, TreeIdentity } from '../process/types.ts';
import type { ConditionState, GraphEntry, StartDecision } from '../service/dependencies.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { allOver } from '../service/order.ts';
import { quarantineFile } from '../store/quarantine.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { TaskRun } from './run.ts';
import { readRuns } from './runFile.ts';
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

  /** Reads what earlier supervisors left of runs. Until `resume` nothing of it moves. */
  restore(configs: ReadonlyMap<string, TaskConfig>): void {
    this.#held = true;
    const readings = readRuns(this.#host.stateDir);
    for (const reading of readings) {
      switch (reading.kind) {
        case 'run':
          this.#runs.set(reading.run.id, TaskRun.restore(this.#host, reading.run, configs, this.#changed));
          break;
        case 'corrupt':
          this.#host.journal('state_set_aside', {
            kind: 'run_corrupt',
            path: reading.path,
            aside: quarantineFile(reading.path),
          });
          break;
        case 'unreadable':
          this.#host.journal('health_warn', { reason: 'run_unreadable', detail: reading.detail });
          break;
        case 'absent':
          break;
        default:
          reading satisfies never;
      }
    }
    this.#forgetOld();
    this.#told = readTold(
      this.#host.stateDir,
      new Set([...this.#runs.values()].flatMap((run) => (run.closed ? [] : [run.id]))),
    );
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
    if (expected === null) return false;
    const exit = expected.run.exitOf(expected.task);
    const known = exit === null || exit === 'corrupt' ? null : exit;
    const exitedAt = known?.at ?? null;
    // What ended, and not because its keeper saw the supervisor's end, did so by itself.
    const itself = known !== null && known.pact !== true;
    expected.task.adopt(record, exitedAt, record.onSupervisorLoss === 'stop' && !itself);
    return true;
  }

  /** Goes on with all that was left, once every tree on record is taken over. */
  resume(): void {
    for (const run of this.#runs.values()) run.resume(this.#told.get(run.id) ?? UNTOLD);
    this.#held = false;
  }

  /** Drops the oldest ended runs beyond those that are kept, and their folders. */
  #forgetOld(): void {
    const ended = [...this.#runs.values()].filter((run) => run.ended && run.closed);
    for (const run of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS))) {
      this.#runs.delete(run.id);
      run.forget();
    }
  }
}
