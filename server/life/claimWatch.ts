import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { liveness } from '../process/identity.ts';
import type { Claim } from '../store/claim.ts';
import { readLockFile } from '../store/lockFile.ts';
import { lockPath } from '../store/paths.ts';
import { judgeLoss, type Loss } from './claimLoss.ts';

/** How often the lock and the workspace itself are looked at; where the folder can be watched, changes are seen at once. */
const PERIOD_MS = 2_000;
/** A look older than this is of a process that was stopped, or of a machine that slept: anything may have happened since. */
const TRUSTED_MS = 3_000;

/** How long a lock must be missing before a change in the folder has it put back. */
const SETTLE_MS = 250;

export interface ClaimEvents {
  readonly onWorkspaceGone: () => void;
  readonly onLost: (loss: Loss) => void;
  /** A lock that was deleted is back, or could not be put back; told once each time. */
  readonly onReclaimed: (ok: boolean) => void;
}

/** Sees to it that nobody goes on as the master of a workspace that another has. */
export class ClaimWatch {
  readonly #claim: Claim;
  #events: ClaimEvents | null = null;
  #lost = false;
  #reclaimFailed = false;
  #lookedAt = clocks();
  #timer: NodeJS.Timeout | null = null;
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | null = null;

  constructor(claim: Claim) {
    this.#claim = claim;
  }

  /**
   * The workspace is this supervisor's. Asked before whatever a second master must not do; cheap, unless this process
   * did not run for a while: then the lock is looked at first.
   */
  get holds(): boolean {
    if (this.#lost) return false;
    const now = clocks();
    const isRecent =
      now.steady - this.#lookedAt.steady < TRUSTED_MS && Math.abs(now.wall - this.#lookedAt.wall) < TRUSTED_MS;
    if (!isRecent) this.look();
    return !this.#lost;
  }

  start(events: ClaimEvents): void {
    this.#events = events;
    this.#timer = setInterval(() => this.look(), PERIOD_MS);
    this.#timer.unref();
    // Of all that happens to a process that was stopped, this comes before its timers.
    process.on('SIGCONT', this.#onContinued);
    this.#watchFolder();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = null;
    this.#events = null;
    process.off('SIGCONT', this.#onContinued);
    this.#endWatcher();
  }

  /** Looks now. */
  look(): void {
    if (this.#lost) return;
    this.#lookedAt = clocks();
    const { root } = this.#claim.workspace;
    if (isGone(root)) {
      this.#events?.onWorkspaceGone();
      return;
    }
    const verdict = this.#claim.verify();
    switch (verdict) {
      case 'ours':
        break;
      case 'deleted':
        this.#reclaim();
        break;
      case 'stolen':
        this.#lose();
        return;
      default:
        verdict satisfies never;
    }
    if (this.#watcher === null) this.#watchFolder();
  }

  readonly #onContinued = (): void => this.look();

  #reclaim(): void {
    this.#endWatcher();
    // Before it is served nobody is told; the next look does it.
    if (this.#events === null) return;
    const again = this.#claim.reclaim();
    // Another folder lies at the same path by now, as after `rm -r` and a fresh clone: it is not ours.
    if (!again.ok && 'failure' in again && again.failure.reason === 'workspace_gone') {
      this.#events.onWorkspaceGone();
      return;
    }
    if (!again.ok && 'held' in again) {
      this.#lose();
      return;
    }
    // A folder that cannot be written is one piece of news.
    if (again.ok || !this.#reclaimFailed) this.#events.onReclaimed(again.ok);
    this.#reclaimFailed = !again.ok;
  }

  #lose(): void {
    this.#lost = true;
    const file = readLockFile(lockPath(this.#claim.workspace.root));
    const thief = file.kind === 'lock' ? file.lock : null;
    const lives = thief !== null && liveness(thief) === 'alive';
    const events = this.#events;
    this.stop();
    events?.onLost(judgeLoss(this.#claim.lock, thief, lives ? 'live' : 'stale'));
  }

  /**
   * What was taken away may be on its way with the whole workspace: a lock that is put back into a folder that somebody is
   * removing makes his `rm -r` fail. Until then the copy of the lock keeps contenders away.
   */
  #lookWhenSettled(): void {
    if (this.#claim.verify() !== 'deleted') this.look();
    else this.#settling ??= setTimeout(() => this.#settled(), SETTLE_MS).unref();
  }

  #settled(): void {
    this.#settling = null;
    if (this.#events !== null) this.look();
  }

  /** Without a watch (no inotify instance left) the period has to do. */
  #watchFolder(): void {
    if (this.#events === null || this.#watcher !== null) return;
    const path = lockPath(this.#claim.workspace.root);
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(path) || name === basename(dirname(path))) this.#lookWhenSettled();
      });
      this.#watcher.on('error', () => this.#endWatcher());
    } catch {
      this.#watcher = null;
    }
  }

  #endWatcher(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}

/** The steady one stands still while the machine sleeps; the one on the wall may be set. */
function clocks(): { readonly steady: number; readonly wall: number } {
  return { steady: performance.now(), wall: Date.now() };
}

/** A folder that cannot be looked at just now (a mount that stalls, no permission) is not gone. */
function isGone(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
