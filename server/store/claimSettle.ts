/** What the winner of a claim does before it is a supervisor: state directory, endpoint, and the files that pin them. */
import { dirname } from 'node:path';
import { removeDeadTemporaries, writeFileAtomicSync } from './atomic.ts';
import type { ClaimRequest } from './claim.ts';
import type { ClaimFailure } from './claimFailure.ts';
import { pinWorkspace } from './coppiceFolder.ts';
import { prepareEndpoint } from './endpoint.ts';
import type { WriteResult } from './ioFailure.ts';
import { lockText, readLockFile } from './lockFile.ts';
import { lockPath } from './paths.ts';
import { lockCopyPath, prepareStateDirectory, readLockCopy } from './stateDirectory.ts';
import type { SupervisorLock } from './types.ts';
import { resolveWorkspace, type Workspace } from './workspace.ts';

export type Settled =
  | { readonly ok: true; readonly lock: SupervisorLock; readonly workspace: Workspace }
  | { readonly ok: false; readonly failure: ClaimFailure };

/**
 * The state is found anew under the lock: between the first look and the win another supervisor, of another `HOME`, may
 * have claimed, pinned its own state directory, started services and died. Its state is the workspace's.
 */
export async function settleClaim(request: ClaimRequest, lock: SupervisorLock): Promise<Settled> {
  const { root } = request.workspace;
  const environment = request.environment ?? process.env;
  const resolved = resolveWorkspace(root, { exact: true, environment });
  if (!resolved.ok) return failed(resolved.failure);
  const { workspace } = resolved;
  const problem = prepareStateDirectory(workspace.stateDir, workspace);
  if (problem !== null) return failed(problem);
  const refusal = prepareEndpoint(lock.endpoint, workspace.id);
  if (refusal !== null) return failed(refusal);
  const settled = { ...lock, stateDir: workspace.stateDir };
  if (settled.stateDir !== lock.stateDir) {
    const file = readLockFile(lockPath(root));
    if (file.kind !== 'lock' || file.lock.nonce !== lock.nonce)
      return failed({ reason: 'contended', path: lockPath(root) });
    // Nobody replaces the lock of a living holder, so it may replace its own.
    const written = writeFileAtomicSync(lockPath(root), lockText(settled), { mode: 0o644 });
    if (!written.ok) return failed(written.failure);
  }
  // Neither is worth leaving trees that run to nobody: the lock itself names holder and state directory. Whoever serves
  // goes on trying.
  copyLock(settled);
  removeDeadTemporaries(dirname(lockPath(root)));
  pinWorkspace(root, workspace.id, settled.stateDir);
  return { ok: true, lock: settled, workspace };
}

/** Writes the copy of the lock where it is missing or another's. */
export function copyLock(lock: SupervisorLock): WriteResult {
  if (readLockCopy(lock.stateDir)?.nonce === lock.nonce) return { ok: true };
  return writeFileAtomicSync(lockCopyPath(lock.stateDir), lockText(lock), { durable: false });
}

function failed(failure: ClaimFailure): Settled {
  return { ok: false, failure };
}
