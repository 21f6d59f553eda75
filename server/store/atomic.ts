/**
 * Files that are replaced whole: whoever reads sees the old content or the new one, whenever the writer is killed
 * (rename(2) is atomic within a file system). With `durable` (the default) that holds through a loss of power too, for
 * two flushes: file and folder, about 0.5 ms on an SSD and tens of milliseconds on a disk.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { identify } from '../process/identity.ts';
import { classifyIoError, errorCode, type WriteResult } from './ioFailure.ts';
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
    writeNewFileSync(temporary, data, durable, mode);
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
    const file = await open(temporary, NEW_FILE, mode);
    try {
      await file.writeFile(data);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    return putInPlace(temporary, path, options);
  } catch (error) {
    discard(temporary);
    return { ok: false, failure: classifyIoError(error, path) };
  }
}

/** Creates `path`, which must not exist, with its content. Throws the system's error. */
export function writeNewFileSync(path: string, data: string | Uint8Array, durable: boolean, mode = 0o600): void {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const fd = openSync(path, NEW_FILE, mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** rename(2); on Windows, where a scanner or a reader holds the target for a moment, tried again for up to 200 ms. */
export function replaceFileSync(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const code = errorCode(error);
      const held = code === 'EPERM' || code === 'EBUSY' || code === 'EACCES';
      if (process.platform !== 'win32' || !held || attempt === 20) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Flushes a folder's entries. What cannot flush a folder (Windows, some network file systems) has no way to ask. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  let fd: number | null = null;
  try {
    fd = openSync(folder, constants.O_RDONLY);
    fsyncSync(fd);
  } catch {
    // The entry is in place for everyone who lives; only a loss of power could still take it back.
  } finally {
    if (fd !== null) closeSync(fd);
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

/** An existing file, or a link that someone planted under the name, makes the open fail. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const TEMPORARY = /^\..+\.(\d+)-[0-9a-f]{12}\.tmp$/;

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomHex(12)}.tmp`);
}

function putInPlace(temporary: string, path: string, { durable = true, stillWanted }: AtomicWriteOptions): WriteResult {
  if (stillWanted !== undefined && !stillWanted()) {
    discard(temporary);
    return { ok: true };
  }
  replaceFileSync(temporary, path);
  if (durable) flushFolder(dirname(path));
  return { ok: true };
}

function discard(temporary: string): void {
  try {
    unlinkSync(temporary);
  } catch {
    // It never came to be.
  }
}
