import type { WorkspaceHost } from '../service/host.ts';
import { AppendFile } from '../store/appendFile.ts';
import { type RunFile, runChangesPath, type TaskEntry, writeRunFile } from './runFile.ts';
import type { RunStatus } from './status.ts';

/** Gives the whole of a run as it is now. */
export type WholeRun = () => { readonly file: Omit<RunFile, 'change'>; readonly state: RunStatus['state'] };

/**
 * What is on the disk of one run: written whole when it begins, when its owners change and when it has ended; in between a
 * line for each change of a task, so that a task costs the same in a run of ten as in one of ten thousand.
 *
 * A full disk must not end the run: what cannot be written is tried again until it can.
 */
export class RunRecord {
  readonly #host: WorkspaceHost;
  readonly #id: string;
  readonly #whole: WholeRun;
  readonly #changes: AppendFile;
  /** Number of the last change. */
  #change: number;
  /** What could not be written as a line is written with the whole. */
  #incomplete = false;
  #again: NodeJS.Timeout | null = null;

  constructor(host: WorkspaceHost, id: string, change: number, whole: WholeRun) {
    this.#host = host;
    this.#id = id;
    this.#change = change;
    this.#whole = whole;
    this.#changes = new AppendFile(runChangesPath(host.stateDir, id));
  }

  /** Is on the disk when it returns. Only the progress: the terms of a task never change. */
  saveTasks(tasks: Iterable<TaskEntry>): void {
    if (!this.#host.holds()) return;
    if (this.#incomplete) {
      this.saveWhole();
      return;
    }
    this.#change += 1;
    const progress = Object.fromEntries([...tasks].map((task) => [task.terms.name, task.progress]));
    const written = this.#changes.append(JSON.stringify({ change: this.#change, tasks: progress }));
    if (written.ok) return;
    this.#incomplete = true;
    this.saveWhole();
  }

  saveWhole(): void {
    if (this.#again !== null) clearTimeout(this.#again);
    this.#again = null;
    if (!this.#host.holds()) return;
    const { file, state } = this.#whole();
    const written = writeRunFile(this.#host.stateDir, { ...file, change: this.#change }, state);
    this.#host.wrote(`run ${this.#id}`, written);
    if (written.ok) {
      this.#incomplete = false;
      // Lines that the whole holds already are told by their numbers, should this not be reached.
      if (this.#changes.size > 0) this.#changes.clear();
      if (file.closed) this.#changes.close();
      return;
    }
    this.#incomplete = true;
    this.#again = setTimeout(() => this.saveWhole(), SAVE_AGAIN_MS).unref();
  }

  /** Nothing is written from now on. */
  close(): void {
    if (this.#again !== null) clearTimeout(this.#again);
    this.#changes.close();
  }
}

const SAVE_AGAIN_MS = 1_000;
