/**
 * Where the bytes of one output are. An output is one stream: a *position* counts its bytes since the first that was
 * ever written, and stays valid when older ones move to `<file>.1`. What is where stands in `<file>.rotation`:
 *
 *     position  0 ......... a ......... b ................. end
 *               dropped     <file>.2    <file>.1     <file>
 *                                              base ^
 *
 * Without that file nothing was rotated yet, and positions are plain offsets in `<file>`. It is replaced as a whole
 * (rename) before and after each rotation, so whoever reads it, then bytes, then it again, and finds it unchanged
 * and not `pending`, knows that the bytes are from where it thought.
 */
import { closeSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { openEmptyFile, replaceFile, writeAll } from '../disk.ts';
import { identify, liveness } from '../identity.ts';
import type { ProcessIdentity } from '../types.ts';

export interface RotationState {
  /** Position of the first byte of the file itself. */
  readonly base: number;
  /** Sizes of `<file>.1`, `<file>.2` ..., which hold what is just before `base`. */
  readonly rotated: readonly number[];
  /** A rotation is being done, since then (epoch ms) and by this process. */
  readonly pending: { readonly at: number; readonly by: ProcessIdentity | null } | null;
}

export interface Segment {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** A consistent look. `token` is equal for two looks exactly if nothing was rotated between them. */
export interface RotationView {
  readonly base: number;
  /** Newest first. */
  readonly segments: readonly Segment[];
  /** Position of the oldest byte that is kept. */
  readonly oldest: number;
  readonly token: string;
}

/**
 * `null`: a rotation is being done right now, look again in a few milliseconds. One that was interrupted, as its
 * supervisor was killed, is seen through to what its files show.
 */
export function viewRotation(path: string): RotationView | null {
  const token = rotationToken(path);
  const state = parseState(token);
  if (state.pending === null) return makeView(state.base, numbered(path, state.rotated), token);
  if (isUnderWay(state.pending)) return null;
  if (!wasCut(path)) return makeView(state.base, numbered(path, state.rotated), token);
  const { base, files } = afterCut(path, state);
  return makeView(base, files, token);
}

/** The text of the rotation file, empty when there is none. */
export function rotationToken(path: string): string {
  // Asking first is cheaper than an exception, and most outputs are never rotated.
  if (statSync(rotationFile(path), { throwIfNoEntry: false }) === undefined) return '';
  try {
    return readFileSync(rotationFile(path), 'utf8');
  } catch {
    return '';
  }
}

/** The state to rotate from; what an earlier supervisor left half done is finished, or taken back, first. */
export function settleRotation(path: string, keep: number): RotationState {
  const token = rotationToken(path);
  if (token !== '' && !isState(token)) replaceFile(rotationFile(path), `${rotationFile(path)}.corrupt-${Date.now()}`);
  const state = parseState(token);
  if (state.pending === null) return state;
  if (!wasCut(path)) {
    rmSync(copyFile(path), { force: true });
    return writeState(path, { ...state, pending: null });
  }
  return finishRotation(path, state, keep);
}

/** After the file was cut: the copy becomes `.1`, the older ones move up, the oldest goes. May be repeated. */
export function finishRotation(path: string, state: RotationState, keep: number): RotationState {
  const { base, files } = afterCut(path, state);
  const sizes = files.map(({ size }) => size).slice(0, keep);
  if (statSync(copyFile(path), { throwIfNoEntry: false }) !== undefined) {
    let free = 1;
    while (free < keep && exists(`${path}.${free}`)) free += 1;
    for (let number = free - 1; number >= 1; number -= 1) replaceFile(`${path}.${number}`, `${path}.${number + 1}`);
    replaceFile(copyFile(path), `${path}.1`);
  }
  for (let number = keep + 1; exists(`${path}.${number}`); number += 1) rmSync(`${path}.${number}`, { force: true });
  return writeState(path, { base, rotated: sizes, pending: null });
}

/** Written before the first byte is moved. */
export function beginRotation(path: string, state: RotationState): void {
  writeState(path, { ...state, pending: { at: Date.now(), by: identify(process.pid) } });
}

export function writeState(path: string, state: RotationState): RotationState {
  const temporary = `${rotationFile(path)}.tmp`;
  const fd = openEmptyFile(temporary, 0o600, rotationFile(path));
  try {
    writeAll(fd, Buffer.from(`${JSON.stringify({ version: 1, ...state })}\n`), rotationFile(path));
  } finally {
    closeSync(fd);
  }
  replaceFile(temporary, rotationFile(path));
  return state;
}

/** Where a rotation puts its copy before the file is cut: exactly the bytes that are cut. */
export function copyFile(path: string): string {
  return `${path}.rotating`;
}

/** Whether the bytes of the copy are gone from the file itself. */
export function wasCut(path: string): boolean {
  const copied = statSync(copyFile(path), { throwIfNoEntry: false });
  const file = statSync(path, { throwIfNoEntry: false });
  if (copied === undefined) return true;
  if (file === undefined || file.size < copied.size) return true;
  // Writers may have written as much again since then; but hardly the very same.
  return [0, Math.max(0, copied.size - COMPARED_BYTES)].some((at) => {
    const length = Math.min(COMPARED_BYTES, copied.size - at);
    return !readBlock(path, at, length).equals(readBlock(copyFile(path), at, length));
  });
}

/** A rotation is pending for milliseconds; one that is for so long was interrupted, whoever does it. */
const INTERRUPTED_AFTER_MS = 5000;

const COMPARED_BYTES = 64 * 1024;

function rotationFile(path: string): string {
  return `${path}.rotation`;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isState(text: string): boolean {
  try {
    const value = JSON.parse(text);
    const size = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
    const pending = value.pending ?? { at: 0 };
    const sizes = size(value.base) && Array.isArray(value.rotated) && value.rotated.every(size);
    return value.version === 1 && sizes && size(pending.at);
  } catch {
    return false;
  }
}

function parseState(text: string): RotationState {
  if (text === '' || !isState(text)) return { base: 0, rotated: [], pending: null };
  const { base, rotated, pending } = JSON.parse(text);
  return { base, rotated, pending: pending == null ? null : { at: pending.at, by: pending.by ?? null } };
}

function isUnderWay({ at, by }: NonNullable<RotationState['pending']>): boolean {
  if (Math.abs(Date.now() - at) >= INTERRUPTED_AFTER_MS) return false;
  const alive = by === null ? 'unknown' : liveness(by);
  return alive === 'alive' || alive === 'unknown';
}

interface SizedFile {
  readonly file: string;
  readonly size: number;
}

function numbered(path: string, sizes: readonly number[]): SizedFile[] {
  return sizes.map((size, index) => ({ file: `${path}.${index + 1}`, size }));
}

function makeView(base: number, files: readonly SizedFile[], token: string): RotationView {
  const segments: Segment[] = [];
  let oldest = base;
  for (const { file, size } of files) {
    segments.push({ file, from: oldest - size, to: oldest });
    oldest -= size;
  }
  return { base, segments, oldest, token };
}

/** What is where once the file was cut, however many of the renames were done. */
function afterCut(path: string, state: RotationState): { base: number; files: SizedFile[] } {
  const copied = statSync(copyFile(path), { throwIfNoEntry: false });
  if (copied === undefined) {
    // The copy is `.1` already, as the last rename of all.
    const first = statSync(`${path}.1`, { throwIfNoEntry: false })?.size ?? 0;
    return { base: state.base + first, files: numbered(path, [first, ...state.rotated]) };
  }
  // The older ones may have been moved up, all of them or those above a gap; their order is the same.
  const present: string[] = [];
  for (let number = 1; number <= state.rotated.length + 1; number += 1) {
    if (exists(`${path}.${number}`)) present.push(`${path}.${number}`);
  }
  const older = present
    .slice(0, state.rotated.length)
    .map((file, index) => ({ file, size: state.rotated[index] ?? 0 }));
  return { base: state.base + copied.size, files: [{ file: copyFile(path), size: copied.size }, ...older] };
}

function readBlock(path: string, at: number, length: number): Buffer {
  const block = Buffer.alloc(length);
  const descriptor = openSync(path, 'r');
  try {
    return block.subarray(0, readSync(descriptor, block, 0, length, at));
  } finally {
    closeSync(descriptor);
  }
}
