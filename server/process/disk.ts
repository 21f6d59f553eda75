/**
 * The one place that changes durable files: each function is one system call, with a failure point of the call's name
 * before it, so that none can be written without one (a check holds this). `target` is the file that is meant, where it
 * is another than the one that is opened.
 *
 * All throw the system's error. Interrupted calls (EINTR) are repeated by libuv, for all but close(2) and read(2).
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { failpoint, failpointAsync, failpointWrite } from './failpoint.ts';
import { killSelf } from './signal.ts';

/** An existing file, or a link that someone planted under the name, makes the open fail. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const REWRITTEN = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
const APPENDED = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

const sealed = new Set<string>();

/**
 * From now on this process changes nothing below `folder`: what is there is another's. The calls fail as on a disk that
 * is mounted read-only.
 */
export function sealFolder(folder: string): void {
  sealed.add(folder.endsWith(sep) ? folder : folder + sep);
}

/** Creates `path`, which must not exist. */
export function openNewFile(path: string, mode: number, target = path): number {
  if (sealed.size > 0) refuseSealed(target);
  if (process.env.COPPICE_FAILPOINTS) failpoint('open', target);
  return openSync(path, NEW_FILE, mode);
}

/** Creates `path`, or empties what is there. */
export function openEmptyFile(path: string, mode: number, target = path): number {
  if (sealed.size > 0) refuseSealed(target);
  if (process.env.COPPICE_FAILPOINTS) failpoint('open', target);
  return openSync(path, REWRITTEN, mode);
}

/** To read and to append to; created where it is missing. */
export function openToAppend(path: string, mode: number): number {
  if (sealed.size > 0) refuseSealed(path);
  if (process.env.COPPICE_FAILPOINTS) failpoint('open', path);
  return openSync(path, APPENDED, mode);
}

/** One write(2) of what follows `at`; gives how much the system took. */
export function writeSome(fd: number, bytes: Uint8Array, at: number, target: string): number {
  if (sealed.size > 0) refuseSealed(target);
  if (process.env.COPPICE_FAILPOINTS) return writeLess(fd, bytes, at, target);
  const written = writeSync(fd, bytes, at);
  // What no kernel answers for a disk, and some FUSE file systems do; trying again would never end.
  if (written === 0 && at < bytes.length)
    throw Object.assign(new Error(`nothing written, '${target}'`), { code: 'EIO' });
  return written;
}

export function writeAll(fd: number, bytes: Uint8Array, target: string): void {
  for (let at = 0; at < bytes.length; ) at += writeSome(fd, bytes, at, target);
}

export function flushFile(fd: number, target: string): void {
  if (process.env.COPPICE_FAILPOINTS) failpoint('fsync', target);
  fsyncSync(fd);
}

export function cutFile(fd: number, length: number, target: string): void {
  if (sealed.size > 0) refuseSealed(target);
  if (process.env.COPPICE_FAILPOINTS) failpoint('truncate', target);
  ftruncateSync(fd, length);
}

/** As `openNewFile`, `writeAll` and `flushFile`, off the event loop. */
export async function writeNewFile(
  path: string,
  bytes: Uint8Array,
  options: { readonly mode: number; readonly durable: boolean; readonly target: string },
): Promise<void> {
  const { mode, durable, target } = options;
  if (sealed.size > 0) refuseSealed(target);
  if (process.env.COPPICE_FAILPOINTS) await failpointAsync('open', target);
  const file = await open(path, NEW_FILE, mode);
  try {
    if (process.env.COPPICE_FAILPOINTS) await writeLessAsync(file, bytes, target);
    else await file.writeFile(bytes);
    if (process.env.COPPICE_FAILPOINTS && durable) await failpointAsync('fsync', target);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

/** rename(2); on Windows, where a scanner or a reader holds the target for a moment, tried again for up to 200 ms. */
export function replaceFile(from: string, to: string): void {
  if (sealed.size > 0) refuseSealed(to);
  if (process.env.COPPICE_FAILPOINTS) failpoint('rename', to);
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const held = code === 'EPERM' || code === 'EBUSY' || code === 'EACCES';
      if (process.platform !== 'win32' || !held || attempt === 20) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** link(2): fails where `to` is there. */
export function linkFile(from: string, to: string): void {
  if (sealed.size > 0) refuseSealed(to);
  if (process.env.COPPICE_FAILPOINTS) failpoint('link', to);
  linkSync(from, to);
}

export function copyFile(from: string, to: string): void {
  if (sealed.size > 0) refuseSealed(to);
  if (process.env.COPPICE_FAILPOINTS) failpoint('write', to);
  copyFileSync(from, to, constants.COPYFILE_EXCL);
}

export function removeFile(path: string): void {
  if (sealed.size > 0) refuseSealed(path);
  if (process.env.COPPICE_FAILPOINTS) failpoint('unlink', path);
  unlinkSync(path);
}

/** Flushes the entries of the folder that holds `target`. */
export function flushFolderOf(target: string): void {
  if (process.env.COPPICE_FAILPOINTS) failpoint('folder', target);
  // Windows cannot open a folder, and flushes its entries with the file.
  if (process.platform === 'win32') return;
  const fd = openSync(dirname(target), constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function refuseSealed(target: string): void {
  for (const folder of sealed) {
    if (target.startsWith(folder))
      throw Object.assign(new Error(`EROFS: left to another supervisor, '${target}'`), { code: 'EROFS' });
  }
}

/** In the test build alone, as what follows. */
function writeLess(fd: number, bytes: Uint8Array, at: number, target: string): number {
  const { take, dies } = failpointWrite(target, bytes.length, at);
  const written = writeSync(fd, bytes, at, take);
  if (dies) killSelf();
  return written;
}

async function writeLessAsync(file: FileHandle, bytes: Uint8Array, target: string): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { take, dies } = failpointWrite(target, bytes.length, at);
    at += (await file.write(bytes, at, take)).bytesWritten;
    if (dies) killSelf();
  }
}
