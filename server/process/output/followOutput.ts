import { CHUNK_BYTES } from './limits.ts';
import { OutputChanges } from './outputChanges.ts';
import { OutputReader } from './outputReader.ts';

export interface FollowOptions {
  /** Position to begin at (see `rotationState.ts`): the `outputOffset` of an incarnation, or 0 for all that is kept. */
  readonly offset: number;
  /** Ends the following at once. */
  readonly signal: AbortSignal;
  /** Nothing more will be written (the tree is empty): the following ends when all was given. */
  readonly ended?: AbortSignal;
  /** Gets every byte in order, exactly once; the next chunk waits for the promise. */
  readonly onChunk: (bytes: Buffer, position: number) => void | Promise<void>;
  /** All that is there was given: told once, and again after each growth. */
  readonly onCaughtUp?: (position: number) => void | Promise<void>;
  /** These bytes are not kept any more: the follower was slower than `keep` rotations, or began too late. */
  readonly onGap?: (from: number, to: number) => void;
}

/**
 * Follows the output at `path`, which need not exist yet, until `signal` or `ended`; resolves with the position
 * after the last byte that was given. Rotations are passed without loss. When somebody else empties or replaces the
 * file, it is followed from its new beginning. Rejects when the file cannot be read, or `onChunk` throws.
 */
export async function followOutput(path: string, options: FollowOptions): Promise<number> {
  const { signal, ended } = options;
  const reader = new OutputReader(path);
  const changes = new OutputChanges(path);
  const wake = (): void => changes.wake();
  signal.addEventListener('abort', wake);
  ended?.addEventListener('abort', wake);
  let position = options.offset;
  let announced = false;
  try {
    while (!signal.aborted) {
      // Asked before the read: what was written before the end must still be found.
      const last = ended?.aborted === true;
      const chunk = await reader.read(position, CHUNK_BYTES);
      if (signal.aborted) break;
      switch (chunk.kind) {
        case 'bytes':
          changes.grown();
          announced = false;
          if (chunk.position > position) options.onGap?.(position, chunk.position);
          await options.onChunk(chunk.bytes, chunk.position);
          position = chunk.position + chunk.bytes.length;
          break;
        case 'end':
          if (!announced) await options.onCaughtUp?.(position);
          announced = true;
          if (last) return position;
          if (!isOver(signal, ended)) await changes.wait();
          break;
        case 'rotating':
          await new Promise((resolve) => setTimeout(resolve, ROTATION_RETRY_MS));
          break;
        case 'restarted':
          if (chunk.position > position) options.onGap?.(position, chunk.position);
          position = chunk.position;
          break;
        default:
          chunk satisfies never;
      }
    }
    return position;
  } finally {
    signal.removeEventListener('abort', wake);
    ended?.removeEventListener('abort', wake);
    changes.close();
    reader.close();
  }
}

const ROTATION_RETRY_MS = 2;

/** Apart, as the compiler takes `aborted` for what it was at the last look. */
function isOver(signal: AbortSignal, ended: AbortSignal | undefined): boolean {
  return signal.aborted || ended?.aborted === true;
}
