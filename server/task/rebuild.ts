import { readdirSync } from 'node:fs';
import type { TaskConfig } from '../config/model.ts';
import { decodeName, encodeName, runFolder } from '../store/paths.ts';
import type { TreeRecord } from '../store/types.ts';
import { isEnded, NOT_BEGUN, type TaskProgress, type TaskTerms, termsOf } from './progress.ts';
import type { RunFile } from './runFile.ts';
import type { ToldRun } from './told.ts';

/** What is known of a run beside its own record. */
export interface Traces {
  readonly told: ToldRun;
  /** Trees of it that are on record. */
  readonly records: readonly TreeRecord[];
  /** Names of the files in its folder. */
  readonly files: readonly string[];
}

/**
 * A run whose `run.json` was torn or removed, from what else tells of it: the journal, the trees on record, its logs and
 * exit records. `null` when nothing does. Pure.
 */
export function rebuildRun(
  id: string,
  { told, records, files }: Traces,
  configs: ReadonlyMap<string, TaskConfig>,
  now: number,
): RunFile | null {
  const logs = files.flatMap((file) =>
    file.endsWith('.log') ? (decodeName(file.slice(0, -'.log'.length)) ?? []) : [],
  );
  const names = new Set([...told.tasks, ...told.tasksStarted.keys(), ...records.map((one) => one.name), ...logs]);
  if (names.size === 0) return null;
  const tasks = [...names].map((name) => {
    const config = configs.get(name);
    const record = records.find((one) => one.name === name);
    return {
      terms: config === undefined ? unknownTerms(name) : termsOf(config),
      progress: progressOf(name, told, record, files),
    };
  });
  const owners = [records[0]?.owner ?? ({ kind: 'configuration' } as const)];
  const closed = told.finished && tasks.every(({ progress }) => isEnded(progress.state));
  return { id, owners, createdAt: told.startedAt ?? now, closed, change: 0, tasks };
}

/** Names of the files of a run; none for a folder that is gone. */
export function filesOfRun(stateDir: string, id: string): string[] {
  try {
    return readdirSync(runFolder(stateDir, id));
  } catch {
    return [];
  }
}

function progressOf(
  name: string,
  told: ToldRun,
  record: TreeRecord | undefined,
  files: readonly string[],
): TaskProgress {
  const startedAt = told.tasksStarted.get(name) ?? record?.startedAt ?? null;
  const end = told.tasksFinished.get(name);
  if (end !== undefined) {
    const { state, exitCode, at } = end;
    return { ...NOT_BEGUN, state, exitCode, startedAt, finishedAt: at, attempt: startedAt === null ? 0 : 1 };
  }
  if (record !== undefined) {
    const { incarnation: attempt, tree } = record;
    const { marker } = tree;
    return { ...NOT_BEGUN, state: 'running', attempt, marker, startedAt, attemptStartedAt: record.startedAt };
  }
  const attempt = Math.max(newestExit(name, files), told.tasksRetried.get(name) ?? 0);
  if (startedAt === null && attempt === 0) return NOT_BEGUN;
  return { ...NOT_BEGUN, state: 'running', attempt: Math.max(1, attempt), startedAt, attemptStartedAt: startedAt };
}

/** Number of the newest attempt that has an exit record; 0: none has. */
function newestExit(name: string, files: readonly string[]): number {
  const prefix = `${encodeName(name)}.exit`;
  const numbers = files.flatMap((file) => {
    const number = file.startsWith(prefix) ? /^(?:\.(\d+))?\.json$/.exec(file.slice(prefix.length)) : null;
    return number === null ? [] : [Number(number[1] ?? 1)];
  });
  return Math.max(0, ...numbers);
}

/** Of a task that the configuration does not have: it may end, and is not started again. */
function unknownTerms(name: string): TaskTerms {
  return {
    name,
    dependsOn: [],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    onSupervisorLoss: 'adopt',
    timeoutMs: null,
    retries: 0,
    attentionCodes: [75],
  };
}
