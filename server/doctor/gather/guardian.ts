import { liveness } from '../../process/identity.ts';
import { treeMemory } from '../../process/memory.ts';
import type { ProcessTable } from '../../process/table.ts';
import { parseGuardianFile } from '../../store/guardianFile.ts';
import { guardianPath } from '../../store/paths.ts';
import { readSmallFile } from '../../store/smallFile.ts';
import type { GuardianFacts } from '../facts.ts';

const LARGEST_BYTES = 256 * 1024;

/** What `guardian.json` in the state directory says of the process that would start a successor. */
export async function readGuardian(stateDir: string, table: ProcessTable): Promise<GuardianFacts> {
  const path = guardianPath(stateDir);
  const file = readSmallFile(path, LARGEST_BYTES);
  switch (file.kind) {
    case 'absent':
      return { kind: 'absent' };
    case 'odd':
      return { kind: 'unreadable', path, detail: file.detail };
    case 'unreadable':
      return { kind: 'unreadable', path, detail: file.failure.detail };
    case 'text':
      return recordedGuardian(file.text, path, table);
    default:
      return file satisfies never;
  }
}

async function recordedGuardian(text: string, path: string, table: ProcessTable): Promise<GuardianFacts> {
  const record = parseGuardianFile(text);
  if (record === null)
    return { kind: 'unreadable', path, detail: `${text.length} characters that are no record of one` };
  const { guardian: identity, gaveUp, supervisor } = record;
  const common = { kind: 'recorded', guarded: supervisor.pid, gaveUp: gaveUp?.text ?? null } as const;
  const losses = gaveUp?.losses ?? countLosses(record.accounting);
  if (identity === null) return { ...common, identity, liveness: 'gone', stopped: false, losses, weightBytes: null };
  const row = table.rowOf(identity);
  return {
    ...common,
    identity,
    liveness: liveness(identity),
    stopped: row !== null && /^[Tt]/.test(row.state),
    losses,
    weightBytes: row === null ? null : (await treeMemory([identity.pid])).bytes,
  };
}

function countLosses(accounting: unknown): number {
  const crashes = (accounting as { crashes?: unknown } | null | undefined)?.crashes;
  return Number.isSafeInteger(crashes) ? (crashes as number) : 0;
}
