/** What only a successor that a guardian started has to ask before it supervises. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { liveness } from '../process/identity.ts';
import type { ProcessIdentity } from '../process/types.ts';
import { type Claim, type ClaimRequest, type ClaimResult, claimWorkspace } from '../store/claim.ts';
import { readGuardianFile } from '../store/guardianFile.ts';
import { registryFiles } from '../store/registryFile.ts';
import { hasTrees } from './configuration.ts';

/**
 * A process that is killed closes its channel to the guardian before it is gone: the kernel closes an inotify
 * descriptor in between, which takes it 10 to 35 ms (measured on an idle machine), and as long as it likes on a busy one.
 */
const PASSING_MS = 2_000;
const LOOK_MS = 20;

/** `claimWorkspace`, for one that may come while who it follows is not quite gone yet. */
export async function claimAsSuccessor(request: ClaimRequest): Promise<ClaimResult> {
  const first = await claimWorkspace(request);
  if (first.ok || !('held' in first) || (await stays(first.held.holder))) return first;
  return claimWorkspace(request);
}

/** Whether this very process lives, and goes on living. */
export async function stays(identity: ProcessIdentity): Promise<boolean> {
  const deadline = performance.now() + PASSING_MS;
  while (liveness(identity) === 'alive') {
    if (performance.now() >= deadline) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

/**
 * The supervisor before ended in order after all: while this one was starting, somebody else took the workspace over,
 * had everything stopped and released it. Whoever is lost leaves a lock or the file of its guardian.
 */
export function isNobodyLost({ replaced, stateDir }: Claim): boolean {
  if (replaced !== null || readGuardianFile(stateDir) !== null) return false;
  // Without a registry nobody knows.
  return existsSync(registryFiles(stateDir).whole) && !hasTrees(stateDir);
}
