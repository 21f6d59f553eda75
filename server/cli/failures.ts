/** Everything that can keep a verb from its work. `messages.ts` turns each into words and an exit code. */
import type { ConnectFailure, RequestFailure } from '../api/client.ts';
import type { Prospect } from '../api/reconnect.ts';

/** Who holds the workspace, as its lock says. */
export interface Holder {
  readonly pid: number;
  readonly hostname: string;
  readonly startedAt: number;
  readonly version: string;
  readonly maxHeapMb: number;
  readonly endpoint: string;
}

export type LinkFailure =
  /** Nobody holds the workspace. `gap`: one did and was lost, and what is known of a successor; `null`: it was left in good order. */
  | { readonly reason: 'no_supervisor'; readonly root: string; readonly gap: Prospect | null }
  /** The holder lives, and its endpoint cannot be reached. */
  | { readonly reason: 'unreachable'; readonly holder: Holder; readonly failure: ConnectFailure }
  /** The holder is on another machine (a shared folder) or in another container. */
  | { readonly reason: 'elsewhere'; readonly holder: Holder }
  /** The started supervisor ended before it served. */
  | { readonly reason: 'start_failed'; readonly status: string; readonly output: string }
  /** The started supervisor refused the configuration. */
  | { readonly reason: 'start_configuration'; readonly output: string }
  | { readonly reason: 'start_timeout'; readonly afterMs: number; readonly output: string }
  /** There is no supervisor's program beside this command. */
  | { readonly reason: 'no_program'; readonly searched: readonly string[] }
  /** The folder cannot be a workspace, in the store's own words. */
  | { readonly reason: 'workspace'; readonly detail: string }
  /** What the lock names as the endpoint may be somebody else's. */
  | { readonly reason: 'endpoint_refused'; readonly holder: Holder; readonly detail: string };

export type CliFailure = LinkFailure | RequestFailure;
