/** The last lines of an output. */
import { TAIL_BYTES } from './limits.ts';
import { LineSplitter, visibleLines } from './lineSplitter.ts';
import { outputExtent, readRange } from './readOutput.ts';

export interface TailOptions {
  /** Nothing before this position: the `outputOffset` of an incarnation keeps earlier ones out. */
  readonly fromOffset?: number;
  /** How far to look back at the most; the first line is incomplete when that was not enough. */
  readonly maxBytes?: number;
}

export interface Tail {
  /** As a terminal would show them, with colours; the last one may still be without its ending. */
  readonly lines: readonly string[];
  /** Position of the first of these lines. */
  readonly from: number;
  /** Position after the last: following from here on continues without a gap. */
  readonly to: number;
}

/** The last `count` lines at `path`, oldest first; none when there is no output. */
export async function tailLines(path: string, count: number, options: TailOptions = {}): Promise<string[]> {
  return [...(await readTail(path, count, options)).lines];
}

/** Like `tailLines`, with the positions. Reads backwards in blocks, only as far as it must. */
export async function readTail(path: string, count: number, options: TailOptions = {}): Promise<Tail> {
  const extent = await outputExtent(path);
  const oldest = Math.max(options.fromOffset ?? 0, extent.from, extent.to - (options.maxBytes ?? TAIL_BYTES));
  if (count <= 0 || oldest >= extent.to) return { lines: [], from: extent.to, to: extent.to };
  const blocks: Buffer[] = [];
  let from = extent.to;
  let found = 0;
  while (from > oldest && found <= count) {
    const block = await readRange(path, Math.max(oldest, from - BLOCK_BYTES), from);
    // A rotation dropped it in the meantime.
    if (block.bytes.length === 0 || block.to !== from) break;
    blocks.unshift(block.bytes);
    found += countFeeds(block.bytes);
    from = block.from;
  }
  const bytes = Buffer.concat(blocks);
  const start = startOfLine(bytes, count);
  const splitter = new LineSplitter();
  const lines = [...splitter.push(bytes.subarray(start)), ...splitter.flush()];
  return { lines: visibleLines(lines).slice(-count), from: from + start, to: extent.to };
}

const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 10;

function countFeeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}

/** Offset of the first of the last `count` lines; the one line feed at the very end begins no line. */
function startOfLine(bytes: Buffer, count: number): number {
  let at = bytes.length - 1;
  for (let found = 0; found < count; found += 1) {
    if (at <= 0) return 0;
    at = bytes.lastIndexOf(LINE_FEED, at - 1);
    if (at === -1) return 0;
  }
  return at + 1;
}
