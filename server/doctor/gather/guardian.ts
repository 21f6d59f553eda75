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
  if (value === null || !isValidPid(value.pid) || typeof value.startTime !== 'string') {
    return { kind: 'unreadable', path, detail: 'it names no process' };
  }
  const boot = typeof value.bootId === 'string' ? value.bootId : bootId();
  const identity = { pid: value.pid, startTime: value.startTime, bootId: boot };
  const row = table.rowOf(identity);
  return {
    kind: 'recorded',
    identity,
    liveness: liveness(identity),
    stopped: row !== null && /^[Tt]/.test(row.state),
    gaveUp: typeof value.gaveUp === 'string' ? value.gaveUp : null,
    losses: countLosses(value.accounting),
  };
}

function countLosses(accounting: unknown): number {
  const crashes = (accounting as { crashes?: unknown } | null | undefined)?.crashes;
  return Number.isSafeInteger(crashes) ? (crashes as number) : 0;
}
