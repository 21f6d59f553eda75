import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** Heap limit of the supervisor, megabytes: a leak ends it, and its successor goes on, before the machine swaps. */
export const MAX_HEAP_MB = 512;

/**
 * Caps the heap of this process, however it was started. V8 takes the flag at any time before the heap has grown;
 * a start with `--max-old-space-size` has done it already.
 */
export function capHeap(): void {
  const limitMb = getHeapStatistics().heap_size_limit / 1024 / 1024;
  if (limitMb > MAX_HEAP_MB * 1.5) setFlagsFromString(`--max-old-space-size=${MAX_HEAP_MB}`);
}
