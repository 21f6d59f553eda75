import { statfs } from 'node:fs/promises';
import { answers, isRemote, type Mount, mountOf, readMounts } from '../../process/mounts.ts';
import type { FolderFacts } from '../facts.ts';
import { within } from './limits.ts';

/** How long a network mount may take for its first answer. */
const PATIENCE_MS = 700;

/** What is asked of the system; tests have their own. */
export interface FolderEyes {
  readonly mounts: readonly Mount[];
  /** Whether a folder can be looked at in time. */
  readonly answers: (path: string) => Promise<boolean>;
}

function systemEyes(): FolderEyes {
  return { mounts: readMounts(), answers: (path) => answers(path, PATIENCE_MS) };
}

/** Where the workspace and its state lie. A folder on a mount that may stall is asked by a helper first. */
export function lookAtFolders(root: string, stateDir: string, eyes = systemEyes()): Promise<FolderFacts[]> {
  const roles = [
    ['workspace', root],
    ['state directory', stateDir],
  ] as const;
  return Promise.all(roles.map(([role, path]) => lookAtFolder(role, path, eyes)));
}

/** Those of `paths` that lie on a mount which does not answer: to touch one of them is to hang. */
export async function silentPaths(paths: readonly string[], eyes = systemEyes()): Promise<string[]> {
  const silent = await Promise.all(
    paths.map(async (path) => {
      const mount = mountOf(path, eyes.mounts);
      return mount !== null && isRemote(mount) && !(await eyes.answers(mount.path)) ? [path] : [];
    }),
  );
  return silent.flat();
}

async function lookAtFolder(role: FolderFacts['role'], path: string, eyes: FolderEyes): Promise<FolderFacts> {
  const mount = mountOf(path, eyes.mounts);
  const remote = mount !== null && isRemote(mount);
  if (remote && !(await eyes.answers(mount.path))) {
    return { role, path, mount, remote, answers: false, space: null };
  }
  return { role, path, mount, remote, answers: true, space: await within(PATIENCE_MS, readSpace(path), null) };
}

/** The folder may not exist yet; the one above it then lies on the same disk most often. */
async function readSpace(path: string): Promise<FolderFacts['space']> {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    try {
      const { bavail, blocks, bsize, files, ffree } = await statfs(at);
      // Some file systems make files as they go and count none.
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: files === 0 ? Infinity : ffree };
    } catch {
      if (at === '/' || !at.includes('/')) return null;
    }
  }
}
