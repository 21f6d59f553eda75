import { join } from 'node:path';
import { bootId, isValidPid, liveness } from '../../process/identity.ts';
import type { ProcessTable } from '../../process/table.ts';
import { parseObject, readSmallFile } from '../../store/smallFile.ts';
import type { GuardianFacts } from '../facts.ts';

/** What `guardian.json` in the state directory says of the process that would start a successor. */
export function readGuardian(stateDir: string, table: ProcessTable): GuardianFacts {
  const path = join(stateDir, 'guardian.json');
  const file = readSmallFile(path);
  switch (file.kind) {
    case 'absent':
      return { kind: 'absent' };
    case 'odd':
      return { kind: 'unreadable', path, detail: file.detail };
    case 'unreadable':
      return { kind: 'unreadable', path, detail: file.failure.detail };
    case 'text':
      return parseGuardian(file.text, path, table);
    default:
      return file satisfies never;
  }
}

function parseGuardian(text: string, path: string, table: ProcessTable): GuardianFacts {
  const value = parseObject(text);
  if (value === null) return { kind: 'unreadable', path, detail: 'it holds no object' };
  const { pid, startTime, bootId: boot, accounting, gaveUp } = value;
  const losses = countLosses(accounting);
  const why = (gaveUp as { text?: unknown } | null | undefined)?.text;
  const said = typeof why === 'string' ? why : null;
  if (!isValidPid(pid) || typeof startTime !== 'string') {
    return { kind: 'recorded', identity: null, liveness: 'gone', stopped: false, gaveUp: said, losses };
  }
  const identity = { pid, startTime, bootId: typeof boot === 'string' ? boot : bootId() };
  const row = table.rowOf(identity);
  const stopped = row !== null && /^[Tt]/.test(row.state);
  return { kind: 'recorded', identity, liveness: liveness(identity), stopped, gaveUp: said, losses };
}

function countLosses(accounting: unknown): number {
  const crashes = (accounting as { crashes?: unknown } | null | undefined)?.crashes;
  return Number.isSafeInteger(crashes) ? (crashes as number) : 0;
}
