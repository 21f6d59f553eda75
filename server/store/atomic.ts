/**
 * Files that are replaced whole: whoever reads sees the old content or the new one, whenever the writer is killed
 * (rename(2) is atomic within a file system). With `durable` (the default) that holds through a loss of power too, for
 * two flushes: file and folder, about 0.5 ms on an SSD and tens of milliseconds on a disk.
 */
import { closeSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { flushFile, flushFolderOf, openNewFile, replaceFile, writeAll, writeNewFile } from '../process/disk.ts';
import { identify } from '../process/identity.ts';
import { classifyIoError, type WriteResult } from './ioFailure.ts';
import { randomHex } from './names.ts';

export { classifyIoError, type IoFailure, type IoReason, type WriteResult } from './ioFailure.ts';

export interface AtomicWriteOptions {
  /** Flush file and folder to the disk. Without it a loss of power may bring the old content back, or none. */
  readonly durable?: boolean;
  /** 0600 by default. */
  readonly mode?: number;
  /** Asked just before the file is put in place; `false` drops what was written, as a newer write has overtaken it. */
  readonly stillWanted?: () => boolean;
}

/** Creates no folder: one that is gone was deleted with all that it meant (R89). */
export function writeFileAtomicSync(
  path: string,
  data: string | Uint8Array,
  options: AtomicWriteOptions = {},
): WriteResult {
  const { durable = true, mode = 0o600 } = options;
  const temporary = temporaryName(path);
  try {
    writeNewFileSync(temporary, data, durable, mode, path);
    return putInPlace(temporary, path, options);
  } catch (error) {
    discard(temporary);
    return { ok: false, failure: classifyIoError(error, path) };
  }
}

/** As `writeFileAtomicSync`, with the slow part, writing and flushing the content, off the event loop. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<WriteResult> {
  const { durable = true, mode = 0o600 } = options;
  const temporary = temporaryName(path);
  try {
    await writeNewFile(temporary, bytesOf(data), { mode, durable, target: path });
    return putInPlace(temporary, path, options);
  } catch (error) {
    discard(temporary);
    return { ok: false, failure: classifyIoError(error, path) };
  }
}

/** Creates `path`, which must not exist, with its content; `target` is what it is meant for. Throws the system's error. */
export function writeNewFileSync(
  path: string,
  data: string | Uint8Array,
  durable: boolean,
  mode = 0o600,
  target = path,
): void {
  const fd = openNewFile(path, mode, target);
  try {
    writeAll(fd, bytesOf(data), target);
    if (durable) flushFile(fd, target);
  } finally {
    closeSync(fd);
  }
}

/** Flushes the entry of `path` in its folder. */
export function flushEntry(path: string): void {
  try {
    flushFolderOf(path);
  } catch {
    // The entry is in place for everyone who lives; only a loss of power could still take it back. Some network file
    // systems cannot flush a folder and have no way to be asked.
  }
}

/** Removes what writers that are gone left half written in `folder`; gives the names. A write never takes an hour. */
export function removeDeadTemporaries(folder: string): string[] {
  const removed: string[] = [];
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return removed;
  }
  for (const name of names) {
    const match = TEMPORARY.exec(name);
    if (match === null) continue;
    const path = join(folder, name);
    try {
      if (identify(Number(match[1])) !== null && Date.now() - statSync(path).mtimeMs < 3_600_000) continue;
      unlinkSync(path);
      removed.push(name);
    } catch {
      // Its writer was quicker.
    }
  }
  return removed;
}

const TEMPORARY = /^\..+\.(\d+)-[0-9a-f]{12}\.tmp$/;

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomHex(12)}.tmp`);
}

function putInPlace(temporary: string, path: string, { durable = true, stillWanted }: AtomicWriteOptions): WriteResult {
  if (stillWanted !== undefined && !stillWanted()) {
    discard(temporary);
    return { ok: true };
  }
  replaceFile(temporary, path);
  if (durable) flushEntry(path);
  return { ok: true };
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}

function discard(temporary: string): void {
  try {
    unlinkSync(temporary);
  } catch {
    // It never came to be.
  }
}
