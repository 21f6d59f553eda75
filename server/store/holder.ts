/** Who holds a workspace, told from its lock file alone: for the claim, and for clients that only look. */
import { hostname, uptime } from 'node:os';
import { bootId, identifyFresh, liveness } from '../process/identity.ts';
import { pidNamespace } from '../process/namespace.ts';
import type { Liveness, ProcessIdentity } from '../process/types.ts';
import { HEARTBEAT_STALE_MS, readHeartbeat } from './heartbeat.ts';
import type { IoFailure } from './ioFailure.ts';
import { readLockFile } from './lockFile.ts';
import { lockPath } from './paths.ts';
import type { Heartbeat, SupervisorLock } from './types.ts';
import { folderIdentity } from './workspace.ts';

/**
 * `live`: the process that wrote the lock runs. `presumed_live`: it cannot be verified from here, and its heartbeat is
 * young. `stale`: it is proven gone, or cannot be verified and is silent.
 */
export type HolderVerdict = 'live' | 'presumed_live' | 'stale';

export type LockReading =
  | { readonly verdict: HolderVerdict; readonly lock: SupervisorLock }
  | { readonly verdict: 'absent'; readonly lock: null }
  | { readonly verdict: 'corrupt'; readonly lock: null; readonly detail: string }
  | { readonly verdict: 'unreadable'; readonly lock: null; readonly failure: IoFailure };

/** From where a lock is looked at, and with what eyes. */
export interface Viewpoint {
  readonly hostname: string;
  readonly pidNamespace: string | null;
  readonly bootId: string;
  /** `<device>:<inode>` of the workspace. */
  readonly folder: string;
  readonly liveness: (identity: ProcessIdentity) => Liveness | Promise<Liveness>;
  readonly heartbeat: (stateDir: string) => Heartbeat | null;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** When this machine was started, epoch milliseconds. */
  readonly bootedAt: () => number;
}

/** Reads the lock of the workspace at `root` and judges its holder. Changes nothing, never throws. */
export async function readLock(root: string, viewpoint: Partial<Viewpoint> = {}): Promise<LockReading> {
  const file = readLockFile(lockPath(root));
  switch (file.kind) {
    case 'absent':
      return { verdict: 'absent', lock: null };
    case 'corrupt':
      return { verdict: 'corrupt', lock: null, detail: file.detail };
    case 'unreadable':
      return { verdict: 'unreadable', lock: null, failure: file.failure };
    case 'lock':
      return { verdict: await judgeHolder(file.lock, file.mtimeMs, viewpointOf(root, viewpoint)), lock: file.lock };
    default:
      return file satisfies never;
  }
}

export function viewpointOf(root: string, given: Partial<Viewpoint> = {}): Viewpoint {
  return {
    hostname: hostname(),
    pidNamespace: pidNamespace(),
    bootId: bootId(),
    folder: folderOf(root),
    liveness: freshLiveness,
    heartbeat: (stateDir) => {
      const reading = readHeartbeat(stateDir);
      return reading.kind === 'heartbeat' ? reading.heartbeat : null;
    },
    now: Date.now,
    bootedAt: () => Date.now() - uptime() * 1000,
    ...given,
  };
}

/** `writtenAt`: when the lock file was last changed, epoch milliseconds. */
export async function judgeHolder(lock: SupervisorLock, writtenAt: number, view: Viewpoint): Promise<HolderVerdict> {
  switch (standing(lock, view)) {
    case 'verifiable':
      switch (await view.liveness(lock)) {
        case 'alive':
          return isOfCopy(lock, view) ? 'stale' : 'live';
        case 'gone':
        case 'zombie':
        case 'recycled':
          return 'stale';
        case 'unknown':
          return byAge(lock, writtenAt, view);
      }
      break;
    case 'earlier_boot':
      return 'stale';
    case 'unverifiable':
      return byAge(lock, writtenAt, view);
  }
}

/** Liveness with a second, fresh look where the first could not tell (macOS and Windows read start times late). */
export async function freshLiveness(identity: ProcessIdentity): Promise<Liveness> {
  const first = liveness(identity);
  if (first !== 'unknown') return first;
  await identifyFresh(identity.pid);
  return liveness(identity);
}

const BOOT_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Standing = 'verifiable' | 'earlier_boot' | 'unverifiable';

/** The host name alone proves little: laptops change it, and two machines that share a folder may both be `ubuntu`. */
function standing(lock: SupervisorLock, view: Viewpoint): Standing {
  if (lock.bootId === view.bootId) {
    // Without a boot id (unknown system) the name has to do.
    if (view.bootId === '' && lock.hostname !== view.hostname) return 'unverifiable';
    const sameNamespace =
      lock.pidNamespace === null || view.pidNamespace === null || lock.pidNamespace === view.pidNamespace;
    return sameNamespace ? 'verifiable' : 'unverifiable';
  }
  if (lock.hostname !== view.hostname) return 'unverifiable';
  // Only two kernel-made ids prove another boot; a lock or a system without one is left to what can be seen.
  if (!BOOT_UUID.test(lock.bootId) || !BOOT_UUID.test(view.bootId)) return 'verifiable';
  // Beaten since this machine was started: so the writer is not from before that, but another machine of this name.
  const heartbeat = ownHeartbeat(lock, view);
  return heartbeat !== null && heartbeat.at > view.bootedAt() ? 'unverifiable' : 'earlier_boot';
}

/** Clocks of two machines may differ, so a heartbeat from a moment to come counts by its distance too. */
function byAge(lock: SupervisorLock, writtenAt: number, view: Viewpoint): HolderVerdict {
  const at = ownHeartbeat(lock, view)?.at ?? writtenAt;
  return Math.abs(view.now() - at) < HEARTBEAT_STALE_MS ? 'presumed_live' : 'stale';
}

/**
 * The holder lives, and holds the folder that this one was copied from, lock and all. Told by the inode: the device is
 * numbered anew when a file system is mounted again, under a supervisor that lives.
 */
function isOfCopy(lock: SupervisorLock, view: Viewpoint): boolean {
  if (lock.folder === undefined || view.folder === '') return false;
  return inodeOf(lock.folder) !== inodeOf(view.folder);
}

function inodeOf(folder: string): string {
  return folder.slice(folder.indexOf(':') + 1);
}

/** A heartbeat of another process proves nothing (R86). */
function ownHeartbeat(lock: SupervisorLock, view: Viewpoint): Heartbeat | null {
  const heartbeat = lock.stateDir === '' ? null : view.heartbeat(lock.stateDir);
  return heartbeat?.pid === lock.pid && heartbeat.startTime === lock.startTime ? heartbeat : null;
}

function folderOf(root: string): string {
  try {
    return folderIdentity(root);
  } catch {
    return '';
  }
}
