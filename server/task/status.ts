/** What clients are shown of a run and its tasks: `ps --json`. */

import type { OwnerKind } from '../service/owners.ts';

export type TaskStateName =
  | 'waiting'
  | 'blocked'
  | 'running'
  | 'succeeded'
  | 'cached'
  | 'failed'
  | 'timed_out'
  | 'canceled'
  | 'skipped'
  | 'needs_attention';

export interface TaskStatus {
  readonly name: string;
  readonly state: TaskStateName;
  readonly exitCode: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly log: string;
  readonly detail: string | null;
}

export interface RunStatus {
  readonly id: string;
  readonly state: 'running' | 'succeeded' | 'failed' | 'canceled';
  /** Whose it is, as of a service. */
  readonly owner: string;
  readonly ownerKind: OwnerKind;
  readonly tasks: readonly TaskStatus[];
}
