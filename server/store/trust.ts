import { lstatSync } from 'node:fs';
import { isMissing } from './ioFailure.ts';

/** Why a folder is not used although something names it. */
export type FolderProblem = 'missing' | 'symlink' | 'not_a_folder' | 'other_owner' | 'not_private' | 'unreadable';

/**
 * Whether `path` is a folder of this user that nobody else can read or write. Only the folder itself is looked at, not
 * those above it: a home folder behind a link is the user's own affair. Windows has neither owner nor mode here; its
 * state home is protected by the profile's own access list.
 */
export function folderProblem(path: string): FolderProblem | null {
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return 'symlink';
    if (!stat.isDirectory()) return 'not_a_folder';
    const user = process.getuid?.();
    if (user === undefined) return null;
    if (stat.uid !== user) return 'other_owner';
    return (stat.mode & 0o077) === 0 ? null : 'not_private';
  } catch (error) {
    return isMissing(error) ? 'missing' : 'unreadable';
  }
}
