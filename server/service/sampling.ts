import { type ProcessTable, readProcessTable } from '../process/table.ts';

/** Old enough to be shared by all services that look in the same moment, too young to mislead a memory watch. */
const SHARED_FOR_MS = 500;

let shared: { readonly table: ProcessTable; readonly at: number } | null = null;

/** One reading of the process table for everybody who measures now; never for proving that something is gone. */
export function sampledTable(): ProcessTable {
  const now = performance.now();
  if (shared === null || now - shared.at > SHARED_FOR_MS) shared = { table: readProcessTable(), at: now };
  return shared.table;
}
