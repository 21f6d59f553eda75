import type { EndpointFailure } from './endpoint.ts';
import type { HolderVerdict } from './holder.ts';
import type { IoFailure } from './ioFailure.ts';
import type { SupervisorLock } from './types.ts';
import { describeWorkspaceFailure, PROBLEMS, type StateDirProblem, type WorkspaceFailure } from './workspace.ts';

/** Who holds the workspace, and whether that was verified or is presumed from a young heartbeat. */
export interface HeldBy {
  readonly holder: SupervisorLock;
  readonly evidence: HolderVerdict;
}

export type ClaimFailure =
  | IoFailure
  | WorkspaceFailure
  | EndpointFailure
  | { readonly reason: 'workspace_gone'; readonly path: string }
  | { readonly reason: 'coppice_folder_refused'; readonly path: string; readonly problem: StateDirProblem }
  /** The lock kept changing, or being torn, for as long as patience lasted. */
  | { readonly reason: 'contended'; readonly path: string };

/** One line for who comes second (R107): who holds the workspace, since when, and with what limits. */
export function describeHeld({ holder, evidence }: HeldBy): string {
  const since = holder.startedAt > 0 ? ` since ${new Date(holder.startedAt).toISOString()}` : '';
  const limit = holder.limits.maxHeapMb > 0 ? `, heap limit ${holder.limits.maxHeapMb}MB` : '';
  const version = holder.version === '' ? '' : `, version ${holder.version}`;
  const presumed = evidence === 'presumed_live' ? ' (it cannot be verified from here; it is presumed alive)' : '';
  return `the workspace is held by pid ${holder.pid} on ${holder.hostname}${since}${version}${limit}${presumed}`;
}

export function describeClaimFailure(failure: ClaimFailure): string {
  switch (failure.reason) {
    case 'no_folder':
    case 'state_dir_refused':
      return describeWorkspaceFailure(failure);
    case 'endpoint_refused':
      return failure.detail;
    case 'workspace_gone':
      return `the workspace ${failure.path} is gone`;
    case 'coppice_folder_refused':
      return `${failure.path} is refused: ${PROBLEMS[failure.problem]}`;
    case 'contended':
      return `${failure.path} kept changing while it was claimed`;
    case 'disk_full':
      return `${failure.path} cannot be written: the disk is full (${failure.code})`;
    case 'no_permission':
      return `${failure.path} cannot be used: no permission (${failure.code})`;
    case 'no_handles':
      return `${failure.path} cannot be opened: the system has no handles or memory left (${failure.code})`;
    case 'missing_folder':
      return `the folder of ${failure.path} is gone`;
    case 'io':
      return `${failure.path}: ${failure.detail}`;
    default:
      return failure satisfies never;
  }
}
