/** Reads an output by position, across rotated files, while others write and rotate it. */
import { closeSync, fstatSync, openSync, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { type RotationView, rotationToken, type Segment, viewRotation } from './rotationState.ts';

export type Chunk =
  /** `position` is that of the first byte; later than asked for when what was asked for is not kept any more. */
  | { readonly kind: 'bytes'; readonly position: number; readonly bytes: Buffer }
  /** Nothing at the position that was asked for, yet; `position` is where the output ends. */
  | { readonly kind: 'end'; readonly position: number }
  /** A rotation is being done: try again in a few milliseconds. */
  | { readonly kind: 'rotating' }
  /** Somebody else emptied the file, or put another in its place: it begins anew at `position`. */
  | { readonly kind: 'restarted'; readonly position: number };

export class OutputReader {
  readonly #path: string;
  #open: { readonly descriptor: number; readonly inode: number } | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** At most `limit` bytes from `position` on. Of several calls, each must wait for the one before. */
  async read(position: number, limit: number): Promise<Chunk> {
    for (;;) {
      const view = viewRotation(this.#path);
      if (view === null) return { kind: 'rotating' };
      const from = Math.max(position, view.oldest);
      const chunk = from < view.base ? await readSegment(view, from, limit) : await this.#readFile(view, from, limit);
      if (rotationToken(this.#path) === view.token) return chunk;
    }
  }

  close(): void {
    if (this.#open !== null) closeSync(this.#open.descriptor);
    this.#open = null;
  }

  async #readFile(view: RotationView, position: number, limit: number): Promise<Chunk> {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    // A file that was deleted is read on: whoever holds it open may still write to it.
    this.#open ??= now === undefined ? null : openFile(this.#path);
    if (this.#open === null) return { kind: 'end', position };
    const { descriptor, inode } = this.#open;
    const available = fstatSync(descriptor).size - (position - view.base);
    if (available > 0) {
      const bytes = await readFully(descriptor, position - view.base, Math.min(limit, available));
      return { kind: 'bytes', position, bytes };
    }
    if (now !== undefined && now.ino !== inode) {
      this.close();
      return { kind: 'restarted', position: view.base };
    }
    return available === 0 ? { kind: 'end', position } : { kind: 'restarted', position: view.base };
  }
}

async function readSegment(view: RotationView, position: number, limit: number): Promise<Chunk> {
  // Oldest first: a file that somebody deleted is passed over to the next newer one.
  for (const segment of [...view.segments].reverse()) {
    if (segment.to <= position) continue;
    const bytes = await readFrom(segment, Math.max(position, segment.from), limit);
    if (bytes !== null && bytes.length > 0) return { kind: 'bytes', position: Math.max(position, segment.from), bytes };
  }
  return { kind: 'restarted', position: view.base };
}

async function readFrom(segment: Segment, position: number, limit: number): Promise<Buffer | null> {
  const opened = openFile(segment.file);
  if (opened === null) return null;
  try {
    return await readFully(opened.descriptor, position - segment.from, Math.min(limit, segment.to - position));
  } finally {
    closeSync(opened.descriptor);
  }
}

function openFile(path: string): { descriptor: number; inode: number } | null {
  try {
    const descriptor = openSync(path, 'r');
    return { descriptor, inode: fstatSync(descriptor).ino };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const readAsync = promisify(read);

async function readFully(descriptor: number, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await readAsync(descriptor, bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === length ? bytes : bytes.subarray(0, done);
}
