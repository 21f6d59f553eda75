import type { TreeRecord } from '../store/types.ts';
import type { Runs } from '../task/runs.ts';
import type { Verdict } from './verdict.ts';

/**
 * Takes over the tree of a task: what runs goes on under the same pid, and what ended meanwhile has its result from the
 * exit record. `false` when no run goes on with it: its run is gone, or had done with it.
 */
export function takeOverTask(runs: Runs, record: TreeRecord, verdict: Verdict, lastSignOfLife: number | null): boolean {
  switch (verdict) {
    case 'alive':
    case 'finished':
    case 'dead':
      return runs.adopt(record, lastSignOfLife);
    case 'presumed_alive':
      return true;
    default:
      return verdict satisfies never;
  }
}
