/** What a process tree costs in memory. */
import { totalmem } from 'node:os';
import { helperText } from './helperText.ts';
import * as darwin from './platform/darwin/memory.ts';
import * as linux from './platform/linux/memory.ts';
import * as windows from './platform/windows/memory.ts';

export interface TreeMemory {
  readonly bytes: number;
  /** The exact figure could not be had for some member, and its resident size, file pages included, stands in. */
  readonly fallback: boolean;
}

/**
 * The sum of what `pids` hold in memory that is no cache of a file: cheap, meant for every tick. Pages that several
 * members share count once for each, so it is an upper bound. A pid that is gone or a zombie counts 0.
 */
export async function treeMemory(pids: readonly number[]): Promise<TreeMemory> {
  switch (process.platform) {
    case 'linux':
      return linux.measureMemory(pids);
    case 'win32':
      return windows.measureMemory(pids, helperText);
    default:
      return darwin.measureMemory(pids, helperText);
  }
}

/** Like `treeMemory`, with shared pages counted once: dearer, for confirming a verdict before anything is done. */
export async function treeProportionalMemory(pids: readonly number[]): Promise<TreeMemory> {
  switch (process.platform) {
    case 'linux':
      return linux.measureProportionalMemory(pids);
    case 'win32':
      return windows.measureProportionalMemory(pids, helperText);
    default:
      return darwin.measureProportionalMemory(pids, helperText);
  }
}

/** Bytes that this process and its children can have at the most: the least of RAM and the limits of its cgroups. */
export function memoryLimit(): number {
  return process.platform === 'linux' ? linux.readMemoryLimit() : totalmem();
}
