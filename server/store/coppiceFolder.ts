import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomicSync, writeNewFileSync } from './atomic.ts';
import type { ClaimFailure } from './claimFailure.ts';
import { classifyIoError, errorCode, type WriteResult } from './ioFailure.ts';
import { coppiceFolder } from './lockFile.ts';
import { quarantineFile } from './quarantine.ts';
import { parseObject, readSmallFile } from './smallFile.ts';
import { folderProblem } from './trust.ts';
import { folderIdentity, type Workspace, workspaceFilePath } from './workspace.ts';

/** Creates `.coppice` and never the workspace itself. A link there would have our files written somewhere else. */
export function prepareCoppiceFolder(workspace: Workspace): ClaimFailure | null {
  const folder = coppiceFolder(workspace.root);
  try {
    if (folderIdentity(workspace.root) !== workspace.folder) return { reason: 'workspace_gone', path: workspace.root };
  } catch {
    return { reason: 'workspace_gone', path: workspace.root };
  }
  try {
    mkdirSync(folder);
    return null;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return classifyIoError(error, folder);
  }
  const problem = folderProblem(folder);
  const bad = problem === 'symlink' || problem === 'not_a_folder' || problem === 'unreadable';
  return bad ? { reason: 'coppice_folder_refused', path: folder, problem } : null;
}

/** Writes `.coppice/.gitignore` and `.coppice/workspace.json` where they are missing or differ. */
export function pinWorkspace(root: string, id: string, stateDir: string): WriteResult {
  const folder = coppiceFolder(root);
  try {
    writeNewFileSync(join(folder, '.gitignore'), '*\n', false, 0o644);
  } catch {
    // It is there already, or the folder takes no file: then the next write says so too.
  }
  const path = workspaceFilePath(root);
  const text = `${JSON.stringify({ id, stateDir })}\n`;
  const known = readSmallFile(path);
  // Not what we would write, and not of a workspace at all: evidence of a torn write or of a stranger's hand.
  if (known.kind === 'odd' || (known.kind === 'text' && parseObject(known.text) === null)) quarantineFile(path);
  if (known.kind === 'text' && known.text === text) return { ok: true };
  return writeFileAtomicSync(path, text, { mode: 0o644 });
}
