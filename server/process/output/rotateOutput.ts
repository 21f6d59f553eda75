/**
 * Rotation of a file that a running child appends to. The child keeps its descriptor, so the file itself must stay:
 * its bytes are copied to `<file>.1` and then cut off. All writers have it open with O_APPEND, so that they go on at
 * the new end (without, a writer would go on at its old offset, behind a hole of NULs).
 *
 * Where the file system can take a range out of the front of a file (ext4, XFS on Linux, by `fallocate` of
 * util-linux) **nothing is lost**: what is written during the rotation simply stays. Elsewhere the file is truncated
 * at the moment when the copy has caught up with it, and what is written between the last read and the truncation,
 * two system calls later, is lost. How much that was cannot be known: nothing counts what is written.
 */
import {
  closeSync,
  constants,
  copyFile as copyFileWith,
  fstatSync,
  openSync,
  read,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { cutFile } from '../disk.ts';
import { failpointAsync } from '../failpoint.ts';
import { helperText } from '../helperText.ts';
import { DEFAULT_ROTATION } from './limits.ts';
import {
  beginRotation,
  copyFile,
  finishRotation,
  type RotationState,
  settleRotation,
  wasCut,
} from './rotationState.ts';

export interface RotationOptions {
  /** Rotate when the file has at least so many bytes. */
  readonly maxBytes?: number;
  /** Rotated files to keep, at least 1. */
  readonly keep?: number;
  /** `truncate` does not try the way that loses nothing. */
  readonly method?: 'best' | 'truncate';
}

export type RotationResult =
  /** Smaller than `maxBytes`, or not there. */
  | { readonly ok: true; readonly rotated: false }
  | {
      readonly ok: true;
      readonly rotated: true;
      /** Moved to `<file>.1`. */
      readonly bytes: number;
      readonly lossless: boolean;
      /** Known to be lost, as the copy could not catch up with the writer; that nothing else was is not known. */
      readonly lostAtLeast: number;
    }
  /** Nothing is lost; the file was left as it is, unless it was cut before the failure. */
  | { readonly ok: false; readonly failure: RotationFailure };

export interface RotationFailure {
  readonly reason: 'disk_full' | 'not_permitted' | 'io';
  readonly code: string;
  readonly detail: string;
}

/** Rotates `path` when it has grown to `maxBytes`. Calls for the same file join the one that is under way. */
export function rotateOutput(path: string, options: RotationOptions = {}): Promise<RotationResult> {
  const running = underWay.get(path);
  if (running !== undefined) return running;
  const rotation = rotate(path, options).finally(() => underWay.delete(path));
  underWay.set(path, rotation);
  return rotation;
}

const underWay = new Map<string, Promise<RotationResult>>();

const BLOCK_BYTES = 1024 ** 2;

/** A writer that is as fast as the copy is not chased for ever: then it is cut where the copy is. */
const MOST_ROUNDS = 16;
const LONGEST_CHASE_MS = 200;

/** File systems (by device) that refused to take a range out of a file. */
const cannotCollapse = new Set<number>();

const copyFileAsync = promisify(copyFileWith);
const readAsync = promisify(read);
const writeAsync = promisify(write);

async function rotate(path: string, options: RotationOptions): Promise<RotationResult> {
  const maxBytes = options.maxBytes ?? DEFAULT_ROTATION.maxBytes;
  const keep = Math.max(1, options.keep ?? DEFAULT_ROTATION.keep);
  let source = -1;
  let copy = -1;
  try {
    const state = settleRotation(path, keep);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0 || size < maxBytes) return { ok: true, rotated: false };
    source = openSync(path, 'r+');
    rmSync(copyFile(path), { force: true });
    if (process.env.COPPICE_FAILPOINTS) await failpointAsync('write', copyFile(path));
    // Within the kernel, and on file systems that share blocks (XFS, Btrfs, APFS) without copying anything.
    await copyFileAsync(path, copyFile(path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    copy = openSync(copyFile(path), 'r+');
    const copied = await copyRest(source, copy);
    const cut = options.method === 'truncate' ? 0 : await collapse(path, state, source, copy, copied);
    if (cut > 0) {
      finishRotation(path, state, keep);
      return { ok: true, rotated: true, bytes: cut, lossless: true, lostAtLeast: 0 };
    }
    const { bytes, lostAtLeast } = catchUpAndTruncate(path, state, source, copy, fstatSync(copy).size);
    finishRotation(path, state, keep);
    return { ok: true, rotated: true, bytes, lossless: false, lostAtLeast };
  } catch (error) {
    return { ok: false, failure: giveUp(path, keep, error as NodeJS.ErrnoException) };
  } finally {
    if (source !== -1) closeSync(source);
    if (copy !== -1) closeSync(copy);
  }
}

/** Copies what was written meanwhile until less than a block is missing, without holding up anything else. */
async function copyRest(source: number, copy: number): Promise<number> {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let at = fstatSync(copy).size;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const end = fstatSync(source).size;
    if (end - at < BLOCK_BYTES) break;
    while (at < end) {
      const { bytesRead } = await readAsync(source, block, 0, Math.min(block.length, end - at), at);
      if (bytesRead === 0) break;
      for (let done = 0; done < bytesRead; ) {
        done += (await writeAsync(copy, block, done, bytesRead - done, at + done)).bytesWritten;
      }
      at += bytesRead;
    }
  }
  return at;
}

/** Takes what was copied out of the front of the file, in whole blocks. 0: that cannot be done here. */
async function collapse(
  path: string,
  state: RotationState,
  source: number,
  copy: number,
  copied: number,
): Promise<number> {
  const { dev, size } = fstatSync(source);
  if (process.platform !== 'linux' || cannotCollapse.has(dev)) return 0;
  const unit = statfsSync(path).bsize;
  let cut = Math.floor(copied / unit) * unit;
  // A range that reaches the end of the file is refused: that would be a truncation.
  if (cut === size) cut -= unit;
  if (cut <= 0) return 0;
  cutFile(copy, cut, copyFile(path));
  beginRotation(path, state);
  if (process.env.COPPICE_FAILPOINTS) await failpointAsync('truncate', path);
  const done = await helperText(['fallocate', '--collapse-range', '--offset', '0', '--length', String(cut), path]);
  // A helper that was killed may have done its work before.
  if (done !== null || wasCut(path)) return cut;
  cannotCollapse.add(dev);
  return 0;
}

/** In one go, so that nothing of this process comes in between. */
function catchUpAndTruncate(path: string, state: RotationState, source: number, copy: number, copied: number) {
  // Written before the last bytes are read: whoever follows stops here, and so has seen nothing that is not copied.
  beginRotation(path, state);
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const deadline = performance.now() + LONGEST_CHASE_MS;
  let at = copied;
  for (;;) {
    const bytesRead = readSync(source, block, 0, block.length, at);
    for (let done = 0; done < bytesRead; ) done += writeSync(copy, block, done, bytesRead - done, at + done);
    at += bytesRead;
    if (bytesRead === 0 || performance.now() > deadline) break;
  }
  const lostAtLeast = Math.max(0, fstatSync(source).size - at);
  cutFile(source, 0, path);
  return { bytes: at, lostAtLeast };
}

/** Whatever failed, the file is either whole and unpending, or was cut and its copy is in its place. */
function giveUp(path: string, keep: number, error: NodeJS.ErrnoException): RotationFailure {
  const code = error.code ?? 'unknown';
  try {
    settleRotation(path, keep);
    rmSync(copyFile(path), { force: true });
  } catch {
    // The state stays pending, which the next rotation, or a reader after a while, sees through.
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const forbidden = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  return { reason: full ? 'disk_full' : forbidden ? 'not_permitted' : 'io', code, detail: error.message };
}
