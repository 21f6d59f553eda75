import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskConfig } from '../config/model.ts';
import type { ConditionState, StartDecision } from '../service/dependencies.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { writeFileAtomicSync } from '../store/atomic.ts';
import { encodeName, runFolder } from '../store/paths.ts';
import type { Owner } from '../store/types.ts';
import type { RunStatus } from './status.ts';
import { RunTask } from './task.ts';

/** So many ended runs are kept, with their files. */
export const KEPT_RUNS = 20;

/** How the newest run of a task stands towards the condition `succeeded`. */
export function taskCondition(name: string, runs: ReadonlyMap<string, TaskRun>): ConditionState {
  const newest = [...runs.values()].findLast((run) => run.tasks.has(name));
  const task = newest?.tasks.get(name);
  if (task === undefined) return { kind: 'hopeless', because: `${name} was not run` };
  if (!task.ended) return { kind: 'coming' };
  if (task.state === 'succeeded' || task.state === 'cached') return { kind: 'met' };
  return { kind: 'hopeless', because: `${name} ended as ${task.state}` };
}

/** Drops the oldest ended runs beyond those that are kept, and their folders. */
export function forgetOldRuns(runs: Map<string, TaskRun>): void {
  const ended = [...runs.values()].filter((run) => run.ended);
  for (const run of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS))) {
    runs.delete(run.id);
    run.forget();
  }
}

/** One execution of a task graph: every task of it is started at most once. Kept in `runs/<id>/run.json`. */
export class TaskRun {
  readonly id: string;
  readonly tasks: ReadonlyMap<string, RunTask>;
  readonly #host: WorkspaceHost;
  readonly #folder: string;
  readonly #changed: () => void;
  #finished = false;

  constructor(host: WorkspaceHost, id: string, configs: readonly TaskConfig[], owner: Owner, changed: () => void) {
    this.id = id;
    this.#host = host;
    this.#changed = changed;
    this.#folder = runFolder(host.stateDir, id);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    } catch {
      // A full disk: each task's own start says so, in words.
    }
    this.tasks = new Map(
      configs.map((config) => {
        const file = join(this.#folder, encodeName(config.name));
        const place = { runId: id, log: `${file}.log`, exitRecordPath: `${file}.exit.json` };
        return [config.name, new RunTask(config, host, place, owner, () => this.#progress())];
      }),
    );
    host.journal('run_started', { run: id, tasks: [...this.tasks.keys()] });
    this.#persist();
  }

  get status(): RunStatus {
    return { id: this.id, state: this.#state, tasks: [...this.tasks.values()].map((task) => task.status) };
  }

  get ended(): boolean {
    return this.#finished || [...this.tasks.values()].every((task) => task.ended);
  }

  /** Starts or blocks what waits, as `decide` says; `true` when anything moved. */
  settle(decide: (task: TaskConfig) => StartDecision): boolean {
    if (this.#finished) return false;
    let moved = false;
    for (const task of this.tasks.values()) {
      if (task.state !== 'waiting') continue;
      const decision = decide(task.config);
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
    await Promise.all(open.map((task) => task.cancel()));
    return open;
  }

  /** Removes its files; only once it has ended. */
  forget(): void {
    try {
      rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // What is left is tried again when the next supervisor tidies up.
    }
  }

  get #state(): RunStatus['state'] {
    const states = [...this.tasks.values()].map((task) => task.state);
    if (!this.ended) return 'running';
    if (states.some((state) => state === 'canceled')) return 'canceled';
    return states.every((state) => state === 'succeeded' || state === 'cached') ? 'succeeded' : 'failed';
  }

  #progress(): void {
    if (this.ended && !this.#finished) {
      this.#finished = true;
      this.#host.journal('run_finished', { run: this.id, state: this.#state });
    }
    this.#persist();
    this.#changed();
  }

  /** Best effort: a full disk must not end the run, whose result stands in the journal too. */
  #persist(): void {
    // Not flushed: it outlives the supervisor, and a flush for each task would hold everybody else up.
    const text = `${JSON.stringify(this.status)}\n`;
    const written = writeFileAtomicSync(join(this.#folder, 'run.json'), text, { durable: false });
    if (!written.ok) this.#host.journal('health_warn', { reason: written.failure.reason, detail: `run ${this.id}` });
  }
}
