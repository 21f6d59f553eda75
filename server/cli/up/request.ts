import type { NameOutcome } from '../../api/protocol.ts';
import type { ResilientClient } from '../../api/resilient.ts';
import type { Workspace } from '../workspace.ts';
import type { StatusFeed } from './follow.ts';

/** An `up` that the supervisor has accepted. */
export interface UpRequest {
  readonly client: ResilientClient;
  readonly workspace: Workspace;
  readonly feed: StatusFeed;
  /** Every name that was asked for. */
  readonly wanted: ReadonlySet<string>;
  /** Names that were not started, such as those in state failed. */
  readonly refused: readonly NameOutcome[];
  /** This `up` started the supervisor. */
  readonly started: boolean;
  /** Whose lease holds what it started; `null`: it belongs to the workspace. */
  readonly session: string | null;
  /** For `--detach` and `--once`; 0: no limit. */
  readonly timeoutMs: number;
}
