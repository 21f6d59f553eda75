/** Looking into an output without following it. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNK_BYTES, TAIL_BYTES } from './limits.ts';
import { type Chunk, OutputReader } from './outputReader.ts';
import { type RotationView, rotationToken, viewRotation } from './rotationState.ts';

export interface OutputRange {
  readonly bytes: Buffer;
  /** Position of the first byte; later than asked for when older ones are not kept any more. */
  readonly from: number;
  /** Position after the last byte. */
  readonly to: number;
}

/** When an incarnation began to write, and where. */
export interface OutputMark {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly position: number;
}

/** The positions of the oldest byte that is kept and of the end; both 0 when there is no output. */
export async function outputExtent(path: string): Promise<{ readonly from: number; readonly to: number }> {
  for (;;) {
    const view = await settledView(path);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (rotationToken(path) === view.token) return { from: view.oldest, to: view.base + size };
  }
}

/** `outputEnd` at once; while a rotation is being done, or without descriptors, a position before it. */
export function outputEndNow(path: string): number {
  try {
    return (viewRotation(path)?.base ?? 0) + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  } catch {
    return 0;
  }
}

/** The position at which the next byte will be written: the `outputOffset` of an incarnation that starts now. */
export async function outputEnd(path: string): Promise<number> {
  return (await outputExtent(path)).to;
}

/**
 * The bytes from position `from` up to `to` (default: the end), the first `maxBytes` (default 4 MB) of them. When
 * somebody emptied the file since `from` was its end, what it holds now.
 */
export async function readRange(
  path: string,
  from: number,
  to = Number.POSITIVE_INFINITY,
  maxBytes = TAIL_BYTES,
): Promise<OutputRange> {
  const reader = new OutputReader(path);
  const blocks: Buffer[] = [];
  let start = from;
  let at = from;
  try {
    for (;;) {
      const wanted = Math.min(CHUNK_BYTES, to - at, start + maxBytes - at);
      const chunk: Chunk = wanted > 0 ? await reader.read(at, wanted) : { kind: 'end', position: at };
      if (chunk.kind === 'rotating') await sleep(ROTATION_RETRY_MS);
      else if (chunk.kind === 'restarted' && blocks.length === 0 && chunk.position < at) start = at = chunk.position;
      else if (chunk.kind === 'bytes') {
        if (chunk.position >= to) break;
        if (blocks.length === 0) start = chunk.position;
        // A gap in the middle: what follows it is not adjacent, and belongs to a range of its own.
        else if (chunk.position !== at) break;
        const bytes = chunk.bytes.subarray(0, to - chunk.position);
        blocks.push(bytes);
        at = chunk.position + bytes.length;
      } else break;
    }
  } finally {
    reader.close();
  }
  return { bytes: Buffer.concat(blocks), from: blocks.length === 0 ? at : start, to: at };
}

/**
 * A position from which on everything is that may have been written at or after `since` (epoch ms). The bytes carry
 * no time, so this is the best lower bound of two: the start of the last incarnation that began at or before
 * `since`, and the end of every file that was last written before. What is older may therefore be included, what is
 * younger is never left out.
 */
export async function readSinceOffset(path: string, since: number, marks: readonly OutputMark[] = []): Promise<number> {
  for (;;) {
    const view = await settledView(path);
    let position = view.oldest;
    for (const mark of marks) if (mark.at <= since) position = Math.max(position, mark.position);
    // A rotated file was last written by the rotation, so after everything that is in it.
    for (const segment of view.segments)
      if (writtenBefore(segment.file, since)) position = Math.max(position, segment.to);
    const file = statSync(path, { throwIfNoEntry: false });
    const end = view.base + (file?.size ?? 0);
    if (file !== undefined && file.mtimeMs < since) position = end;
    if (rotationToken(path) === view.token) return Math.min(position, end);
  }
}

async function settledView(path: string): Promise<RotationView> {
  for (;;) {
    const view = viewRotation(path);
    if (view !== null) return view;
    await sleep(ROTATION_RETRY_MS);
  }
}

function writtenBefore(file: string, at: number): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined || found.mtimeMs < at;
}

const ROTATION_RETRY_MS = 2;
