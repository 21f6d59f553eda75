import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { flushEntry, removeDeadTemporaries, writeFileAtomicSync } from './atomic.ts';
import { classifyIoError, type IoFailure } from './ioFailure.ts';
import { parseLock } from './lockFile.ts';
import { cacheFolder, execsFolder, exitsFolder, logsFolder, runsFolder } from './paths.ts';
import { readSmallFile } from './smallFile.ts';
import type { SupervisorLock } from './types.ts';
import { markerPath, type Place, stateDirProblem, type WorkspaceFailure } from './workspace.ts';

/**
 * Creates what is missing of a state directory, marks it as this workspace's and removes what killed writers left. Only
 * the holder of the claim may call it. `null`: it is ready.
 */
export function prepareStateDirectory(stateDir: string, place: Place): WorkspaceFailure | IoFailure | null {
  try {
    const made = mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    // The folder's own entry, and those of the folders above it that were made with it.
    if (made !== undefined) for (let at = stateDir; at.length >= made.length; at = dirname(at)) flushEntry(at);
    const problem = stateDirProblem(stateDir, place);
    if (problem !== null && problem !== 'not_marked') return { reason: 'state_dir_refused', stateDir, problem };
    const { id, root, folder } = place;
    const marker = `${JSON.stringify({ id, root, folder })}\n`;
    // A moved folder keeps its state and is known by its new path from now on. Nothing is written where nothing changes:
    // a full disk must not keep a successor from trees that run.
    const known = readSmallFile(markerPath(stateDir));
    if (known.kind !== 'text' || known.text !== marker) {
      const marked = writeFileAtomicSync(markerPath(stateDir), marker);
      if (!marked.ok) return marked.failure;
    }
    for (const part of [logsFolder, exitsFolder, runsFolder, cacheFolder]) {
      mkdirSync(part(stateDir), { recursive: true, mode: 0o700 });
    }
    for (const folder of [stateDir, execsFolder(stateDir), ...foldersIn(runsFolder(stateDir))])
      removeDeadTemporaries(folder);
    return null;
  } catch (error) {
    return classifyIoError(error, stateDir);
  }
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

/**
 * A copy of the lock, outside of the workspace. `git clean -x` takes the lock of a living supervisor away; until that
 * claims it again, whoever comes sees by the copy that the workspace is held.
 */
export function lockCopyPath(stateDir: string): string {
  return join(stateDir, 'supervisor.lock');
}

export function readLockCopy(stateDir: string): SupervisorLock | null {
  const file = readSmallFile(lockCopyPath(stateDir));
  return file.kind === 'text' ? parseLock(file.text) : null;
}
