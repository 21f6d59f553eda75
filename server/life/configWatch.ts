import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_FILE_NAMES } from '../config/find.ts';

/** Editors write a file in several steps (truncate, write, rename); one save is one change. */
const DEBOUNCE_MS = 100;
/** A file that is empty is most often one that is being written: a save that truncates first is waited for. */
const EMPTY_MS = 1_000;
/** For file systems that send no events (network mounts), and for the moment when the watch itself ended. */
const POLL_MS = 2_000;

/** Calls `changed` after the workspace's configuration file was saved, created or removed. Returns what ends it. */
export function watchConfiguration(root: string, changed: () => void): () => void {
  let seen = fingerprint(root);
  let timer: NodeJS.Timeout | null = null;
  let patient = false;
  let watcher: FSWatcher | null = null;
  const look = (): void => {
    const now = fingerprint(root);
    if (now === seen) return;
    if (isEmpty(root) && !patient) {
      patient = true;
      timer = setTimeout(look, EMPTY_MS);
      return;
    }
    patient = false;
    seen = now;
    changed();
  };
  const soon = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, DEBOUNCE_MS);
  };
  try {
    watcher = watch(root, { persistent: false }, (_event, name) => {
      if (name === null || (CONFIG_FILE_NAMES as readonly string[]).includes(name)) soon();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // Out of watches: the poll below is enough.
  }
  const poll = setInterval(look, POLL_MS);
  poll.unref();
  return () => {
    watcher?.close();
    clearInterval(poll);
    if (timer !== null) clearTimeout(timer);
  };
}

function fingerprint(root: string): string {
  return CONFIG_FILE_NAMES.map((name) => {
    const stat = statSync(join(root, name), { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
  }).join(' ');
}

function isEmpty(root: string): boolean {
  return CONFIG_FILE_NAMES.some((name) => statSync(join(root, name), { throwIfNoEntry: false })?.size === 0);
}
