import { tmpdir } from 'node:os';
import { openFilesOf, readMachine } from '../../process/machine.ts';
import { isDead, type ProcessTable } from '../../process/table.ts';
import type { FolderFacts, MachineFacts } from '../facts.ts';

export function lookAtMachine(
  table: ProcessTable,
  folders: readonly FolderFacts[],
  supervisor: number | null,
): MachineFacts {
  return {
    machine: readMachine(tmpdir()),
    folders,
    unreaped: table.childrenOf(1).filter(isDead).length,
    supervisorFiles: supervisor === null ? null : openFilesOf(supervisor),
  };
}
