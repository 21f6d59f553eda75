import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_FILE_NAMES } from '../config/find.ts';

/** Editors write a file in several steps (truncate, write, rename); one save is one change. */
const DEBOUNCE_MS = 100;
/** A file that is empty or away is most often one that is being written: the rest of such a save is waited for. */
export const EMPTY_MS = 1_000;
/** For file systems that send no events (network mounts), and for the moment when the watch itself ended. */
const POLL_MS = 2_000;

/**
 * Calls `changed` after the workspace's configuration file was saved, created or removed. Returns what ends it.
 * `unseen`: what is there now may differ from what is in force, and counts as a change.
 */
export function watchConfiguration(
  root: string,
  changed: () => void,
  { unseen = false }: { readonly unseen?: boolean } = {},
): () => void {
  let seen = unseen ? null : fingerprint(root);
  let timer: NodeJS.Timeout | null = null;
  let emptySince: number | null = null;
  let watcher: FSWatcher | null = null;
  const look = (): void => {
    const now = fingerprint(root);
    const empty = now !== seen && isEmpty(root);
    emptySince = empty ? (emptySince ?? performance.now()) : null;
    if (now === seen) return;
    const left = emptySince === null ? 0 : emptySince + EMPTY_MS - performance.now();
    if (left > 0) {
      lookIn(left);
      return;
    }
    seen = now;
    changed();
  };
  const lookIn = (ms: number): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, ms);
  };
  const soon = (): void => lookIn(DEBOUNCE_MS);
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
  if (unseen) look();
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

/** One of them is empty, or there is none. */
function isEmpty(root: string): boolean {
  const sizes = CONFIG_FILE_NAMES.map((name) => statSync(join(root, name), { throwIfNoEntry: false })?.size);
  return sizes.includes(0) || sizes.every((size) => size === undefined);
}
