/** The durable record of how a leader ended: reading it, waiting for it, and writing it where no keeper could. */
import { closeSync, type FSWatcher, readFileSync, rmSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { openEmptyFile, replaceFile, writeAll } from './disk.ts';
import { identifyFresh, liveness } from './identity.ts';
import type { ExitRecord, ExitStatus, Liveness, ProcessIdentity, TreeIdentity } from './types.ts';

/** The end of a process that nobody saw. */
export const UNWITNESSED: ExitStatus = { code: null, signal: null };

/** The record at `path`; `null` when there is none yet, `'corrupt'` for a file that is none. Throws on other errors. */
export function readExitRecord(path: string): ExitRecord | null | 'corrupt' {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  return parseExitRecord(text) ?? 'corrupt';
}

/** `null` for text that is not exactly one record. */
export function parseExitRecord(text: string): ExitRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { pid, code, signal, at, witness, pact } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return null;
  if (code !== null && !(Number.isSafeInteger(code) && (code as number) >= 0)) return null;
  if (signal !== null && !(typeof signal === 'string' && /^SIG[A-Z0-9]+$/.test(signal))) return null;
  if (code !== null && signal !== null) return null;
  if (!Number.isSafeInteger(at)) return null;
  if (witness !== 'keeper' && witness !== 'supervisor') return null;
  return {
    pid: pid as number,
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    at: at as number,
    witness,
    ...(pact === true ? { pact } : {}),
  };
}

/**
 * Writes a record for a leader that no keeper could account for. Creates no folder: one that is gone was deleted with
 * all that it meant. False when it could not be written.
 */
export function writeExitRecord(path: string, record: ExitRecord): boolean {
  const partial = `${path}.tmp`;
  try {
    const fd = openEmptyFile(partial, 0o600, path);
    try {
      writeAll(fd, Buffer.from(`${JSON.stringify(record)}\n`), path);
    } finally {
      closeSync(fd);
    }
    replaceFile(partial, path);
    return true;
  } catch {
    return false;
  }
}

/** Removes what an earlier start may have left at `path`. */
export function clearExitRecord(path: string): void {
  for (const name of [path, `${path}.tmp`]) rmSync(name, { force: true });
}

export interface WatchOptions {
  /** Ends the watch; the promise then stays unsettled. */
  readonly signal?: AbortSignal;
  /** How often the processes are looked at, ms; the record itself is noticed at once. */
  readonly intervalMs?: number;
  /** How long a live keeper may take to write the record of a dead leader (a full disk), ms. */
  readonly graceMs?: number;
}

/**
 * Waits for the end of a tree that another supervisor started. Settles with the recorded status, or `UNWITNESSED` when
 * leader and keeper are gone without a record. Never rejects, keeps no event loop alive.
 */
export function watchExitRecord(path: string, tree: TreeIdentity, options: WatchOptions = {}): Promise<ExitStatus> {
  const { signal, intervalMs = 1000, graceMs = 5000 } = options;
  return new Promise((resolve) => {
    let endedAt: number | null = null;
    let finished = signal?.aborted === true;
    let busy = false;
    let watcher: FSWatcher | null = null;
    const timer = setInterval(() => void look(), intervalMs).unref();

    function finish(status: ExitStatus | null): void {
      if (finished) return;
      finished = true;
      clearInterval(timer);
      watcher?.close();
      if (status !== null) resolve(status);
    }

    function takeRecord(): boolean {
      const status = recordedStatus(path, tree.leader.pid);
      if (status !== null) finish(status);
      return finished;
    }

    async function look(): Promise<void> {
      if (busy || (watcher === null && takeRecord())) return;
      busy = true;
      try {
        // In the common case one small read, since this is asked every second of every adopted tree.
        const leader = await state(tree.leader);
        if (leader === 'alive') return;
        const keeper = tree.keeper === null ? 'gone' : await state(tree.keeper);
        // A keeper renames the record into place before it ends, so a look after its end is final.
        if (finished || takeRecord()) return;
        endedAt ??= performance.now();
        const limit = leader === 'unknown' ? UNVERIFIABLE_LIMIT_MS : graceMs;
        if (ended(leader) && ended(keeper)) finish(UNWITNESSED);
        else if (performance.now() - endedAt > limit) finish(UNWITNESSED);
      } finally {
        busy = false;
      }
    }

    signal?.addEventListener('abort', () => finish(null), { once: true });
    if (finished) {
      clearInterval(timer);
      return;
    }
    try {
      const name = basename(path);
      watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) takeRecord();
      });
      watcher.on('error', () => {
        watcher?.close();
        watcher = null;
      });
    } catch {
      // No inotify watch left, or no folder: the interval finds it too.
    }
    if (!takeRecord()) void look();
  });
}

/** A process whose identity cannot be told is not waited for without end. */
const UNVERIFIABLE_LIMIT_MS = 30_000;

function ended(state: Liveness): boolean {
  return state === 'gone' || state === 'zombie' || state === 'recycled';
}

async function state(identity: ProcessIdentity): Promise<Liveness> {
  const first = liveness(identity);
  if (first !== 'unknown') return first;
  await identifyFresh(identity.pid);
  return liveness(identity);
}

/** A record of another pid is that of an earlier start at the same path. */
function recordedStatus(path: string, pid: number): ExitStatus | null {
  try {
    const record = readExitRecord(path);
    if (record === null) return null;
    if (record === 'corrupt') return UNWITNESSED;
    return record.pid === pid ? { code: record.code, signal: record.signal } : null;
  } catch {
    return null;
  }
}
