import { closeSync, existsSync } from 'node:fs';
import { openToAppend, removeFile, writeAll } from '../../process/disk.ts';
import { journalPath } from '../../store/paths.ts';
import type { StateFacts } from '../facts.ts';
import type { FixOutcome } from './types.ts';

/** Removes what belongs to nobody and ends a torn line of the journal. Only the holder of the claim may call it. */
export function tidyUp(state: StateFacts, stateDir: string): FixOutcome[] {
  return [
    ...removeAll('half-written files of processes that are gone', state.abandoned),
    ...removeAll('sockets of earlier supervisors', state.sockets),
    ...removeAll('exit records that belong to nothing', state.forgottenExits),
    ...(state.journalTorn ? [endTornLine(journalPath(stateDir))] : []),
  ];
}

function removeAll(what: string, paths: readonly string[]): FixOutcome[] {
  if (paths.length === 0) return [];
  const left: string[] = [];
  for (const path of paths) {
    try {
      removeFile(path);
    } catch (error) {
      // The claim removes some of them itself.
      if (existsSync(path)) left.push(`${path} (${(error as Error).message})`);
    }
  }
  if (left.length > 0)
    return [{ check: 'state', done: false, message: `${what}: ${left.join(', ')} could not be removed` }];
  return [{ check: 'state', done: true, message: `removed ${paths.length} ${what}` }];
}

/** What is torn stays as evidence; the next record begins a line of its own. */
function endTornLine(path: string): FixOutcome {
  try {
    const fd = openToAppend(path, 0o600);
    try {
      writeAll(fd, Buffer.from('\n'), path);
    } finally {
      closeSync(fd);
    }
    return { check: 'state', done: true, message: 'ended the torn last line of the journal' };
  } catch (error) {
    return { check: 'state', done: false, message: `the journal: ${(error as Error).message}` };
  }
}
