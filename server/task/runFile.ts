/** `runs/<id>/run.json`: what a successor needs to go on with a run, and what `ps` shows of one that ended. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dependency } from '../config/model.ts';
import { parseOwners } from '../service/owners.ts';
import { writeFileAtomicSync } from '../store/atomic.ts';
import type { WriteResult } from '../store/ioFailure.ts';
import { decodeName, encodeName, runFolder, runsFolder } from '../store/paths.ts';
import { parseObject, readSmallFile } from '../store/smallFile.ts';
import { isObject } from '../store/treeRecord.ts';
import type { Owner } from '../store/types.ts';
import type { TaskProgress, TaskTerms } from './progress.ts';
import type { RunStatus, TaskStateName } from './status.ts';

export interface TaskEntry {
  readonly terms: TaskTerms;
  readonly progress: TaskProgress;
}

export interface RunFile {
  readonly id: string;
  /** Who asked for it; the first of them has it. */
  readonly owners: readonly Owner[];
  readonly createdAt: number;
  /** Its end stands in the journal. */
  readonly closed: boolean;
  /** Number of the last change of a task that it holds. */
  readonly change: number;
  readonly tasks: readonly TaskEntry[];
}

export type RunReading =
  | { readonly kind: 'run'; readonly run: RunFile }
  /** A folder without the file: made by a supervisor that was killed before it could write it. */
  | { readonly kind: 'absent'; readonly id: string }
  | { readonly kind: 'corrupt'; readonly id: string; readonly path: string }
  /** It cannot be read just now (EACCES, EMFILE), which says nothing of its content. */
  | { readonly kind: 'unreadable'; readonly id: string; readonly path: string; readonly detail: string };

export function runFilePath(stateDir: string, id: string): string {
  return join(runFolder(stateDir, id), 'run.json');
}

/** The changes of tasks since, a line each. */
export function runChangesPath(stateDir: string, id: string): string {
  return join(runFolder(stateDir, id), 'run.changes.jsonl');
}

export function taskLogPath(stateDir: string, run: string, task: string): string {
  return join(runFolder(stateDir, run), `${encodeName(task)}.log`);
}

/** One file an attempt, so that none can be taken for that of another. */
export function taskExitPath(stateDir: string, run: string, task: string, attempt: number): string {
  const number = attempt === 1 ? '' : `.${attempt}`;
  return join(runFolder(stateDir, run), `${encodeName(task)}.exit${number}.json`);
}

/**
 * Flushed to the disk once, with the end of the run: until then it has to outlive the supervisor alone, as a loss of power
 * ends the tasks as well, and a flush for each task would hold everybody else up.
 */
export function writeRunFile(stateDir: string, run: RunFile, state: RunStatus['state']): WriteResult {
  const { id, owners, createdAt, closed, change } = run;
  const tasks = run.tasks.map(({ terms, progress }) => ({ name: terms.name, ...progress, terms }));
  const text = `${JSON.stringify({ version: 1, id, state, owners, createdAt, closed, change, tasks })}\n`;
  return writeFileAtomicSync(runFilePath(stateDir, id), text, { durable: closed });
}

/** All runs that have a folder, the oldest first. */
export function readRuns(stateDir: string): RunReading[] {
  let names: string[];
  try {
    names = readdirSync(runsFolder(stateDir));
  } catch {
    return [];
  }
  const age = (reading: RunReading): number => (reading.kind === 'run' ? reading.run.createdAt : 0);
  return names
    .flatMap((name) => decodeName(name) ?? [])
    .map((id) => readRun(stateDir, id))
    .sort((a, b) => age(a) - age(b));
}

function readRun(stateDir: string, id: string): RunReading {
  const path = runFilePath(stateDir, id);
  const file = readSmallFile(path, LARGEST_FILE);
  switch (file.kind) {
    case 'absent':
      return { kind: 'absent', id };
    case 'unreadable':
      return { kind: 'unreadable', id, path, detail: file.failure.detail };
    case 'odd':
      return { kind: 'corrupt', id, path };
    case 'text': {
      const run = parseRunFile(file.text, id);
      return run === null
        ? { kind: 'corrupt', id, path }
        : { kind: 'run', run: withChanges(run, readChanges(stateDir, id)) };
    }
    default:
      return file satisfies never;
  }
}

/** Ten thousand tasks take about 5 MB. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** The lines of `run.changes.jsonl`. */
export function readChanges(stateDir: string, id: string): string {
  const file = readSmallFile(runChangesPath(stateDir, id), LARGEST_FILE);
  return file.kind === 'text' ? file.text : '';
}

/**
 * The run as it is after the changes that it does not hold yet. A line that is none was torn by a full disk or a kill: its
 * writer told nobody of what it says.
 */
export function withChanges(run: RunFile, changes: string): RunFile {
  const tasks = new Map(run.tasks.map((task) => [task.terms.name, task]));
  let change = run.change;
  for (const line of changes.split('\n')) {
    const value = parseObject(line);
    if (value === null || !isCount(value.change) || value.change <= run.change || !isObject(value.tasks)) continue;
    change = Math.max(change, value.change);
    for (const [name, read] of Object.entries(value.tasks)) {
      const task = tasks.get(name);
      const progress = parseProgress(read);
      if (task !== undefined && progress !== null) tasks.set(name, { ...task, progress });
    }
  }
  return { ...run, change, tasks: [...tasks.values()] };
}

/** `null` for text that is not wholly the record of this run. */
export function parseRunFile(text: string, id: string): RunFile | null {
  const value = parseObject(text);
  if (value === null || value.version !== 1 || value.id !== id || !Array.isArray(value.tasks)) return null;
  const tasks = value.tasks.map(parseTask);
  if (!Array.isArray(value.owners) || !isTime(value.createdAt) || typeof value.closed !== 'boolean') return null;
  if (!tasks.every((task) => task !== null)) return null;
  const { createdAt, closed, change } = value;
  if (!isCount(change)) return null;
  return { id, owners: parseOwners(value.owners), createdAt, closed, change, tasks };
}

function parseTask(value: unknown): TaskEntry | null {
  if (!isObject(value)) return null;
  const terms = parseTerms(value.terms);
  const progress = parseProgress(value);
  return terms === null || terms.name !== value.name || progress === null ? null : { terms, progress };
}

function parseProgress(value: unknown): TaskProgress | null {
  if (!isObject(value)) return null;
  const { state, attempt, marker, attemptStartedAt, timedOutAt, canceledAt, exitCode, startedAt, finishedAt, detail } =
    value;
  if (!isState(state) || !isCount(attempt)) return null;
  if (!isTextOrNull(marker) || !isTextOrNull(detail) || !(exitCode === null || isCount(exitCode))) return null;
  if (!isTimeOrNull(attemptStartedAt) || !isTimeOrNull(timedOutAt) || !isTimeOrNull(canceledAt)) return null;
  if (!isTimeOrNull(startedAt) || !isTimeOrNull(finishedAt)) return null;
  const times = { attemptStartedAt, timedOutAt, canceledAt, startedAt, finishedAt };
  return { state, attempt, marker, exitCode, detail, ...times };
}

function parseTerms(value: unknown): TaskTerms | null {
  if (!isObject(value)) return null;
  const { name, dependsOn, stopSignal, stopTimeoutMs, onSupervisorLoss, timeoutMs, retries, attentionCodes } = value;
  if (typeof name !== 'string' || name === '' || !isCount(stopTimeoutMs) || !isCount(retries)) return null;
  if (typeof stopSignal !== 'string' || !/^SIG[A-Z0-9]+$/.test(stopSignal)) return null;
  if (onSupervisorLoss !== 'adopt' && onSupervisorLoss !== 'stop') return null;
  if (!(timeoutMs === null || isCount(timeoutMs))) return null;
  if (!Array.isArray(attentionCodes) || !attentionCodes.every(isCount)) return null;
  if (!Array.isArray(dependsOn) || !dependsOn.every(isDependency)) return null;
  return {
    name,
    dependsOn: dependsOn.map((one) => ({ name: one.name, condition: one.condition })),
    stopSignal: stopSignal as NodeJS.Signals,
    stopTimeoutMs,
    onSupervisorLoss,
    timeoutMs,
    retries,
    attentionCodes,
  };
}

const STATES: Readonly<Record<TaskStateName, true>> = {
  waiting: true,
  blocked: true,
  running: true,
  succeeded: true,
  cached: true,
  failed: true,
  timed_out: true,
  canceled: true,
  skipped: true,
  needs_attention: true,
};

/** Whether a text is the name of a task's state. */
export function isState(value: unknown): value is TaskStateName {
  return typeof value === 'string' && Object.hasOwn(STATES, value);
}

function isDependency(value: unknown): value is Dependency {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    ['ready', 'started', 'completed', 'succeeded'].includes(value.condition as string)
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || isTime(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
