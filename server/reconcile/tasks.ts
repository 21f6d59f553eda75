import type { TreeRecord } from '../store/types.ts';
import type { Commands } from '../task/commands.ts';
import type { Runs } from '../task/runs.ts';
import type { Verdict } from './verdict.ts';

/**
 * Takes over the tree of a task or command: what runs goes on under the same pid, and what ended meanwhile has its
 * result from the exit record. `false` when nobody goes on with it: its run is gone, or had done with it.
 */
export function takeOverResult(
  heirs: { readonly runs: Runs; readonly commands: Commands },
  record: TreeRecord,
  verdict: Verdict,
): boolean {
  switch (verdict) {
    case 'alive':
    case 'finished':
    case 'dead':
      if (record.role === 'task') return heirs.runs.adopt(record);
      heirs.commands.adopt(record);
      return true;
    case 'presumed_alive':
      return true;
    default:
      return verdict satisfies never;
  }
}
