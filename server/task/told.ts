import { readJournal } from '../store/journal.ts';
import { isState } from './runFile.ts';
import type { TaskStateName } from './status.ts';

/** What the journal has of a run, so that nothing is told twice and nothing stays untold. */
export interface ToldRun {
  readonly started: boolean;
  readonly finished: boolean;
  /** Names that it began with, where that is known. */
  readonly tasks: readonly string[];
  readonly tasksStarted: ReadonlySet<string>;
  readonly tasksFinished: ReadonlyMap<string, { readonly state: TaskStateName; readonly exitCode: number | null }>;
}

export const UNTOLD: ToldRun = {
  started: false,
  finished: false,
  tasks: [],
  tasksStarted: new Set(),
  tasksFinished: new Map(),
};

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
      draft.started = true;
      draft.tasks = Array.isArray(event.tasks) ? event.tasks.filter((one) => typeof one === 'string') : [];
    } else if (event.event === 'run_finished') draft.finished = true;
    else if (typeof name !== 'string') continue;
    else if (event.event === 'task_started') draft.tasksStarted.add(name);
    else if (event.event === 'task_finished' && isState(event.state)) {
      const exitCode = typeof event.exitCode === 'number' ? event.exitCode : null;
      draft.tasksFinished.set(name, { state: event.state, exitCode });
    }
  }
  return found;
}

interface Draft {
  started: boolean;
  finished: boolean;
  tasks: readonly string[];
  tasksStarted: Set<string>;
  tasksFinished: Map<string, { readonly state: TaskStateName; readonly exitCode: number | null }>;
}

function newDraft(): Draft {
  return { started: false, finished: false, tasks: [], tasksStarted: new Set(), tasksFinished: new Map() };
}

function eventsOf(stateDir: string): ReturnType<typeof readJournal>['events'] {
  try {
    return readJournal(stateDir).events;
  } catch {
    // It cannot be read: to tell something twice is better than never.
    return [];
  }
}
