import { resolve } from 'node:path';
import { liveness } from '../../process/identity.ts';
import {
  isDead,
  type ProcessTable,
  readCommandLine,
  readEnvironmentVariable,
  readProcessTableAsync,
} from '../../process/table.ts';
import { readWorkingDirectory } from '../../process/workingDirectory.ts';
import { resolveWorkspace } from '../../store/paths.ts';
import type { MarkedProcess, SupervisorProcess } from '../facts.ts';
import { servedFolder, supervisorRoot } from '../supervisorProcess.ts';

/** By what they were started with: a second supervisor would not be in the lock, which is what is looked for. */
export function findSupervisors(table: ProcessTable, root: string): SupervisorProcess[] {
  return [...table.rows.values()].flatMap((row) => {
    if (isDead(row) || row.pid === process.pid || !supervises(row.pid, root)) return [];
    const identity = { pid: row.pid, startTime: row.startTime, bootId: table.bootId };
    return [{ identity, parent: row.parent, stopped: /^[Tt]/.test(row.state) }];
  });
}

function supervises(pid: number, root: string): boolean {
  const argv = readCommandLine(pid);
  if (supervisorRoot(argv) === root) return true;
  const served = servedFolder(argv);
  const from = served === null ? null : readWorkingDirectory(pid);
  if (served === null || from === null) return false;
  const resolved = resolveWorkspace(resolve(from, served), { exact: served !== '' });
  return resolved.ok && resolved.workspace.root === root;
}

/**
 * Two supervisors at one moment are most often one that is about to lose the contest for the lock, which takes it less
 * than a second: so a stray one is looked at again before it is called one.
 */
export async function settleSupervisors(
  found: readonly SupervisorProcess[],
  holder: number | null,
  root: string,
): Promise<readonly SupervisorProcess[]> {
  const isStray = (one: SupervisorProcess): boolean => one.identity.pid !== holder;
  const deadline = performance.now() + CONTEST_MS;
  let now = found;
  // A stopped one does not lose a contest; there is nothing to wait for.
  while (now.some((one) => isStray(one) && !one.stopped) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    now = now.filter((one) => liveness(one.identity) === 'alive');
  }
  if (now.length === found.length) return now;
  // One of them may have won and the holder ended.
  return findSupervisors(await readProcessTableAsync(), root);
}

const CONTEST_MS = 700;
const LOOK_MS = 50;

export function findMarked(table: ProcessTable, id: string): MarkedProcess[] {
  return [...table.rows.values()].flatMap((row) => {
    if (isDead(row) || row.pid === process.pid) return [];
    const marker = readEnvironmentVariable(row.pid, 'COPPICE_TREE');
    if (marker === null || marker === 'unreadable' || !marker.startsWith(`${id}/`)) return [];
    const command = readCommandLine(row.pid).join(' ').slice(0, LONGEST_COMMAND);
    const { pid, startTime, parent, group, session, name } = row;
    return [{ pid, startTime, parent, group, session, name, command, marker }];
  });
}

const LONGEST_COMMAND = 300;
