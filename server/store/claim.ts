/** Becoming the one supervisor of a workspace, and staying it (DESIGN 4, Claim). The contest is in `takeover.ts`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyFresh } from '../process/identity.ts';
import type { ProcessIdentity } from '../process/types.ts';
import { writeNewFileSync } from './atomic.ts';
import type { ClaimFailure, HeldBy } from './claimFailure.ts';
import { removeLeftovers } from './claimLeftovers.ts';
import { copyLock, settleClaim } from './claimSettle.ts';
import { pinWorkspace, prepareCoppiceFolder } from './coppiceFolder.ts';
import { planEndpoint } from './endpoint.ts';
import { createExclusively } from './exclusive.ts';
import { judgeHolder, type Viewpoint, viewpointOf } from './holder.ts';
import { classifyIoError } from './ioFailure.ts';
import { lockText, readLockFile } from './lockFile.ts';
import { randomHex } from './names.ts';
import { lockPath } from './paths.ts';
import { quarantineFile } from './quarantine.ts';
import { lockCopyPath, readLockCopy } from './stateDirectory.ts';
import { Contest, type Replaced, removeQuietly } from './takeover.ts';
import type { SupervisorLimits, SupervisorLock } from './types.ts';
import type { Workspace } from './workspace.ts';

export { type ClaimFailure, describeClaimFailure, describeHeld, type HeldBy } from './claimFailure.ts';
export type { LockReading, Viewpoint } from './holder.ts';
export { readLock } from './holder.ts';
export type { Replaced } from './takeover.ts';

export interface ClaimRequest {
  readonly workspace: Workspace;
  /** Where it will listen; planned by `planEndpoint` where none is given. */
  readonly endpoint?: string;
  readonly version: string;
  readonly limits: SupervisorLimits;
  /** The process that claims; this one by default. */
  readonly self?: ProcessIdentity;
  /** How holders are judged; for tests. */
  readonly viewpoint?: Partial<Viewpoint>;
  /** Where the state home is found from. */
  readonly environment?: NodeJS.ProcessEnv;
  /** How long to wait for a claim that another process is in the middle of, ms. */
  readonly patienceMs?: number;
  /** Makes hard links; for tests of file systems that have none. */
  readonly linkFile?: (from: string, to: string) => void;
}

export type ClaimResult =
  | { readonly ok: true; readonly claim: Claim }
  | { readonly ok: false; readonly held: HeldBy }
  | { readonly ok: false; readonly failure: ClaimFailure };

export type ReclaimResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly held: SupervisorLock }
  | { readonly ok: false; readonly failure: ClaimFailure };

/**
 * `deleted`: the lock is gone or damaged, and nobody else's; `reclaim` puts it back. `stolen`: another supervisor has it.
 */
export type ClaimVerdict = 'ours' | 'deleted' | 'stolen';

const PATIENCE_MS = 1000;

/**
 * Claims a workspace. A contender that loses has changed no file when it returns, at once where the holder lives and
 * after `patienceMs` at most. Never throws for what the disk or other processes do.
 */
export async function claimWorkspace(request: ClaimRequest): Promise<ClaimResult> {
  const { workspace, patienceMs = PATIENCE_MS } = request;
  const view = viewpointOf(workspace.root, { folder: workspace.folder, ...request.viewpoint });
  const planned = request.endpoint === undefined ? planEndpoint(workspace.id, request) : null;
  if (planned !== null && !planned.ok) return { ok: false, failure: planned.failure };
  const lock = await makeLock(request, request.endpoint ?? planned?.endpoint.path ?? '', view);
  const refusal = prepareCoppiceFolder(workspace);
  if (refusal !== null) return { ok: false, failure: refusal };
  const path = lockPath(workspace.root);
  const text = lockText(lock);
  const temporary = new OwnTemporary(path, text);
  const contest = new Contest({
    lockPath: path,
    temporary: () => temporary.path(),
    text,
    view,
    ...(request.linkFile === undefined ? {} : { linkFile: request.linkFile }),
    hiddenHolder: () => hiddenHolder(workspace.stateDir, lock, view),
  });
  try {
    const deadline = performance.now() + patienceMs;
    let pause = 2;
    for (;;) {
      const step = await contest.attempt();
      if (step.kind === 'failed') {
        if (step.failure.reason !== 'missing_folder' || performance.now() >= deadline)
          return { ok: false, failure: step.failure };
        // `git clean` took `.coppice` away with what was in it; that of a workspace that is gone is not made again.
        temporary.remove();
        const gone = prepareCoppiceFolder(workspace);
        if (gone !== null) return { ok: false, failure: gone };
        continue;
      }
      if (step.kind === 'held') {
        return { ok: false, held: { holder: step.holder, evidence: step.verdict } };
      }
      if (step.kind === 'won') {
        await removeLeftovers(path, text, view);
        const settled = await settleClaim(request, lock);
        if (settled.ok) {
          const findings = [...(planned?.endpoint.findings ?? []), ...settled.workspace.findings];
          const settledWorkspace = { ...settled.workspace, findings };
          return { ok: true, claim: new Claim(settledWorkspace, settled.lock, step.replaced, request.linkFile) };
        }
        release(path, lock);
        return settled;
      }
      if (performance.now() >= deadline) {
        const holder = step.kind === 'wait' ? step.holder : null;
        if (holder === null) return { ok: false, failure: { reason: 'contended', path } };
        return { ok: false, held: { holder, evidence: await judgeHolder(holder, view.now(), view) } };
      }
      if (step.kind === 'wait') {
        await sleep(pause + Math.random() * pause);
        pause = Math.min(pause * 2, 50);
      }
    }
  } finally {
    temporary.remove();
  }
}

/** A claim that was won. */
export class Claim {
  /**
   * The workspace as it is found under the lock. Its `id` and `stateDir` may be others than were asked for, when another
   * supervisor has pinned its own meanwhile: these are the ones to go on with.
   */
  readonly workspace: Workspace;
  /** As it stands in the file. */
  readonly lock: SupervisorLock;
  /** What the claim replaced; `null` where there was no lock. */
  readonly replaced: Replaced | null;
  readonly #linkFile: ((from: string, to: string) => void) | undefined;
  #released = false;

  constructor(
    workspace: Workspace,
    lock: SupervisorLock,
    replaced: Replaced | null,
    linkFile?: ClaimRequest['linkFile'],
  ) {
    this.workspace = workspace;
    this.lock = lock;
    this.replaced = replaced;
    this.#linkFile = linkFile;
  }

  /** What was found and not used on the way. */
  get findings(): Workspace['findings'] {
    return this.workspace.findings;
  }

  get stateDir(): string {
    return this.lock.stateDir;
  }

  /** Whether the workspace is still ours. To be asked every few seconds. */
  verify(): ClaimVerdict {
    const file = readLockFile(lockPath(this.workspace.root));
    switch (file.kind) {
      case 'absent':
      case 'corrupt':
        return 'deleted';
      case 'lock':
        return file.text === lockText(this.lock) ? 'ours' : 'stolen';
      case 'unreadable':
        // No handle left, or a mount that stalls: nothing says that it changed hands.
        return 'ours';
      default:
        return file satisfies never;
    }
  }

  /** Puts a deleted lock back, unless another supervisor was quicker. Re-creates nothing of a workspace that is gone. */
  reclaim(): ReclaimResult {
    const path = lockPath(this.workspace.root);
    const text = lockText(this.lock);
    const refusal = prepareCoppiceFolder(this.workspace);
    if (refusal !== null) return { ok: false, failure: refusal };
    const temporary = new OwnTemporary(path, text);
    try {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const file = readLockFile(path);
        if (file.kind === 'unreadable') return { ok: false, failure: file.failure };
        if (file.kind === 'lock') {
          return file.text === text ? { ok: true } : { ok: false, held: file.lock };
        }
        // Contenders leave a damaged lock alone while the copy in the state directory names a living holder.
        if (file.kind === 'corrupt') quarantineFile(path);
        if (createExclusively(temporary.path(), path, text, this.#linkFile) === 'created') {
          pinWorkspace(this.workspace.root, this.workspace.id, this.lock.stateDir);
          // Whoever removed both may do so again, and the copy is what keeps contenders away until the lock is back.
          copyLock(this.lock);
          return { ok: true };
        }
      }
      return { ok: false, failure: { reason: 'contended', path } };
    } catch (error) {
      return { ok: false, failure: classifyIoError(error, path) };
    } finally {
      temporary.remove();
    }
  }

  /** Removes the lock if it is still ours; a successor's stays (R33). The last act of a supervisor, after its drain. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    release(lockPath(this.workspace.root), this.lock);
  }
}

async function makeLock(request: ClaimRequest, endpoint: string, view: Viewpoint): Promise<SupervisorLock> {
  const known = request.self ?? (await identifyFresh(process.pid));
  const { pid, startTime, bootId } = known ?? { pid: process.pid, startTime: '', bootId: view.bootId };
  return {
    pid,
    startTime,
    bootId,
    hostname: view.hostname,
    pidNamespace: view.pidNamespace,
    endpoint,
    stateDir: request.workspace.stateDir,
    version: request.version,
    startedAt: view.now(),
    limits: request.limits,
    folder: request.workspace.folder,
    nonce: randomHex(32),
  };
}

/** The holder that the copy of the lock names, if it verifiably lives and is not this claimant. */
async function hiddenHolder(stateDir: string, own: SupervisorLock, view: Viewpoint): Promise<SupervisorLock | null> {
  const copy = readLockCopy(stateDir);
  if (copy === null || copy.nonce === own.nonce) return null;
  return (await judgeHolder(copy, 0, view)) === 'live' ? copy : null;
}

function release(path: string, lock: SupervisorLock): void {
  // The copy first: with the lock gone, it alone would make whoever comes wait for a supervisor that is about to end.
  if (readLockCopy(lock.stateDir)?.nonce === lock.nonce) removeQuietly(lockCopyPath(lock.stateDir));
  const file = readLockFile(path);
  if (file.kind === 'lock' && file.lock.nonce === lock.nonce) removeQuietly(path);
}

/**
 * This contender's lock in a file of its own. Flushed, so that no file system shows the name of a lock without its content;
 * the folder's entry is not: whatever a loss of power leaves of a lock, its boot id is that of no living holder. Made when
 * it is first needed and removed whatever happens.
 */
class OwnTemporary {
  readonly #lock: string;
  readonly #path: string;
  readonly #text: string;
  #made = false;

  constructor(lock: string, text: string) {
    this.#lock = lock;
    this.#path = `${lock}.${process.pid}-${randomHex(12)}.tmp`;
    this.#text = text;
  }

  /** Throws the system's error. */
  path(): string {
    if (!this.#made) {
      this.#made = true;
      writeNewFileSync(this.#path, this.#text, true, 0o644, this.#lock);
    }
    return this.#path;
  }

  remove(): void {
    if (this.#made) removeQuietly(this.#path);
    this.#made = false;
  }
}
