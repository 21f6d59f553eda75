import { getHeapStatistics } from 'node:v8';
import { replaceProgram } from '../process/replace.ts';

/** Heap limit of the supervisor, megabytes: a leak ends it, and its successor goes on, before the machine swaps. */
export const MAX_HEAP_MB = 512;

/**
 * What a supervisor's Node is started with. The young generation is kept at 1 MB: by default it grows to 16 MB in the
 * first second and stays so (measured with 50 services: 8 MB less), and what a supervisor does needs no more.
 */
export const NODE_FLAGS: readonly string[] = [`--max-old-space-size=${MAX_HEAP_MB}`, '--max-semi-space-size=1'];

/**
 * Sees to the cap of this process, however it was started. V8 takes the limit at its own start only (set later,
 * `v8.setFlagsFromString` changes nothing: a heap of 2 GB was reached under 512), so a process without it becomes the
 * same program once more, under the same pid. Where there is no execve(2) (Windows, older Node) it goes on without.
 */
export function capHeap(): void {
  const limitMb = getHeapStatistics().heap_size_limit / 1024 / 1024;
  // The limit counts the young generation as well.
  if (limitMb <= MAX_HEAP_MB * 1.5 || NODE_FLAGS.every((flag) => process.execArgv.includes(flag))) return;
  replaceProgram([process.execPath, ...process.execArgv, ...NODE_FLAGS, ...process.argv.slice(1)], process.env);
}
