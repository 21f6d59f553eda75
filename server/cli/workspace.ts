/** The workspace that a command is about, and who holds it. On the path of `ps`: loads no parser and no schema. */
import { endpointProblem } from '../store/endpoint.ts';
import { readLock } from '../store/holder.ts';
import { describeWorkspaceFailure, resolveWorkspace, type Workspace } from '../store/paths.ts';
import type { SupervisorLock } from '../store/types.ts';
import { PROBLEMS } from '../store/workspace.ts';
import type { Holder, LinkFailure } from './failures.ts';
import type { Context } from './verb.ts';

export type { Workspace } from '../store/paths.ts';

export type OpenResult =
  | { readonly ok: true; readonly workspace: Workspace }
  | { readonly ok: false; readonly failure: LinkFailure };

/** The nearest workspace upwards, or the folder of `--cwd` itself. */
export function openWorkspace(context: Pick<Context, 'cwd' | 'cwdGiven' | 'environment'>): OpenResult {
  const resolved = resolveWorkspace(context.cwd, { exact: context.cwdGiven, environment: context.environment });
  if (resolved.ok) return resolved;
  return { ok: false, failure: { reason: 'workspace', detail: describeWorkspaceFailure(resolved.failure) } };
}

/** Who holds the workspace now; `null` when nobody does, or only a supervisor that has died. */
export async function holderOf(workspace: Workspace): Promise<Holder | null> {
  const { verdict, lock } = await readLock(workspace.root);
  return lock === null || verdict === 'stale' ? null : toHolder(lock);
}

export function toHolder(lock: SupervisorLock): Holder {
  const { pid, startedAt, endpoint } = lock;
  return { pid, hostname: lock.hostname, startedAt, version: lock.version, maxHeapMb: lock.limits.maxHeapMb, endpoint };
}

/** Why its endpoint must not be connected to, in words: somebody else could listen there. `null`: it may be. */
export function endpointObjection(endpoint: string): string | null {
  const problem = endpointProblem(endpoint);
  return problem === null || problem === 'missing' ? null : `${endpoint}: ${PROBLEMS[problem]}`;
}
