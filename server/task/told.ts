import { readJournal } from '../store/journal.ts';
import { isState } from './runFile.ts';
import type { TaskStateName } from './status.ts';

/** What the journal has of a run, so that nothing is told twice and nothing stays untold. */
export interface ToldRun {
  /** When it began, in epoch milliseconds. */
  readonly startedAt: number | null;
  readonly finished: boolean;
  /** Names that it began with, where that is known. */
  readonly tasks: readonly string[];
  /** With the time. */
  readonly tasksStarted: ReadonlyMap<string, number>;
  /** With the number of the newest attempt. */
  readonly tasksRetried: ReadonlyMap<string, number>;
  readonly tasksFinished: ReadonlyMap<string, ToldEnd>;
}

export interface ToldEnd {
  readonly state: TaskStateName;
  readonly exitCode: number | null;
  readonly at: number;
}

export const UNTOLD: ToldRun = {
  startedAt: null,
  finished: false,
  tasks: [],
  tasksStarted: new Map(),
  tasksRetried: new Map(),
  tasksFinished: new Map(),
};

/** What the journal has of a command. */
export interface ToldCommand {
  readonly started: boolean;
  readonly ended: boolean;
}

export const UNTOLD_COMMAND: ToldCommand = { started: false, ended: false };

/** Of each of these commands, by name (`exec-<id>`). */
export function readToldCommands(stateDir: string, names: ReadonlySet<string>): Map<string, ToldCommand> {
  if (names.size === 0) return new Map();
  const found = new Map<string, ToldCommand>();
  for (const { event, name } of eventsOf(stateDir)) {
    if (typeof name !== 'string' || !names.has(name)) continue;
    const told = found.get(name) ?? UNTOLD_COMMAND;
    if (event === 'exec_started') found.set(name, { ...told, started: true });
    else if (event === 'exec_ended') found.set(name, { ...told, ended: true });
  }
  return found;
}

/** Of each of these runs. Every event is in the file when its supervisor goes on, whatever becomes of that. */
export function readTold(stateDir: string, runs: ReadonlySet<string>): Map<string, ToldRun> {
  if (runs.size === 0) return new Map();
  const found = new Map<string, Draft>();
  for (const event of eventsOf(stateDir)) {
    const { run, name } = event;
    if (typeof run !== 'string' || !runs.has(run)) continue;
    const draft = found.get(run) ?? newDraft();
    found.set(run, draft);
    if (event.event === 'run_started') {
      draft.startedAt = event.at;
      draft.tasks = Array.isArray(event.tasks) ? event.tasks.filter((one) => typeof one === 'string') : [];
    } else if (event.event === 'run_finished') draft.finished = true;
    else if (typeof name !== 'string') continue;
    else if (event.event === 'task_started') draft.tasksStarted.set(name, event.at);
    else if (event.event === 'task_retried' && typeof event.attempt === 'number')
      draft.tasksRetried.set(name, event.attempt);
    else if (event.event === 'task_finished' && isState(event.state)) {
      const exitCode = typeof event.exitCode === 'number' ? event.exitCode : null;
      draft.tasksFinished.set(name, { state: event.state, exitCode, at: event.at });
    }
  }
  return found;
}

interface Draft {
  startedAt: number | null;
  finished: boolean;
  tasks: readonly string[];
  readonly tasksStarted: Map<string, number>;
  readonly tasksRetried: Map<string, number>;
  readonly tasksFinished: Map<string, ToldEnd>;
}

function newDraft(): Draft {
  return {
    startedAt: null,
    finished: false,
    tasks: [],
    tasksStarted: new Map(),
    tasksRetried: new Map(),
    tasksFinished: new Map(),
  };
}

function eventsOf(stateDir: string): ReturnType<typeof readJournal>['events'] {
  try {
    return readJournal(stateDir).events;
  } catch {
    // It cannot be read: to tell something twice is better than never.
    return [];
  }
}
