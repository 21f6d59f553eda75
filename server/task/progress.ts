/** How far a run has come with a task, and what it may go on by: what `run.json` holds of each task. */
import type { TaskConfig } from '../config/model.ts';
import type { TaskStateName } from './status.ts';

/**
 * The terms that a run began a task under, and goes on under whatever becomes of the configuration. Not the command and
 * its environment, which may hold secrets: those come from the configuration in force.
 */
export type TaskTerms = Pick<
  TaskConfig,
  | 'name'
  | 'dependsOn'
  | 'stopSignal'
  | 'stopTimeoutMs'
  | 'onSupervisorLoss'
  | 'timeoutMs'
  | 'retries'
  | 'attentionCodes'
>;

export interface TaskProgress {
  readonly state: TaskStateName;
  /** Number of the newest attempt, from 1; 0 before the first. */
  readonly attempt: number;
  /** Of that attempt's tree; entered before it is launched, so that the tree is known as this attempt's by anyone. */
  readonly marker: string | null;
  readonly attemptStartedAt: number | null;
  /** When that attempt's time was over. */
  readonly timedOutAt: number | null;
  readonly canceledAt: number | null;
  readonly exitCode: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly detail: string | null;
}

export const NOT_BEGUN: TaskProgress = {
  state: 'waiting',
  attempt: 0,
  marker: null,
  attemptStartedAt: null,
  timedOutAt: null,
  canceledAt: null,
  exitCode: null,
  startedAt: null,
  finishedAt: null,
  detail: null,
};

export function termsOf(config: TaskConfig): TaskTerms {
  const { name, dependsOn, stopSignal, stopTimeoutMs, onSupervisorLoss, timeoutMs, retries, attentionCodes } = config;
  return { name, dependsOn, stopSignal, stopTimeoutMs, onSupervisorLoss, timeoutMs, retries, attentionCodes };
}

/** Whether nothing more will happen to a task in this state. */
export function isEnded(state: TaskStateName): boolean {
  switch (state) {
    case 'waiting':
    case 'running':
      return false;
    case 'blocked':
    case 'succeeded':
    case 'cached':
    case 'failed':
    case 'timed_out':
    case 'canceled':
    case 'skipped':
    case 'needs_attention':
      return true;
    default:
      return state satisfies never;
  }
}
