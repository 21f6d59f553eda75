import { copyFile, linkFile, replaceFile } from '../process/disk.ts';
import { randomHex } from './names.ts';

/**
 * Sets a file that cannot be understood aside, beside where it was, as `<name>.corrupt-<time>`: it is evidence, and the
 * next write would destroy it. Gives its new path; `null` when it could not be moved.
 */
export function quarantineFile(path: string, now = Date.now()): string | null {
  const aside = quarantineName(path, now);
  try {
    replaceFile(path, aside);
    return aside;
  } catch {
    return null;
  }
}

/** As `quarantineFile`, leaving the file where it is for what is about to be renamed over it; a folder is moved. */
export function quarantineCopy(path: string, isFolder = false): string | null {
  if (isFolder) return quarantineFile(path);
  const aside = quarantineName(path);
  for (const keep of [linkFile, copyFile]) {
    try {
      keep(path, aside);
      return aside;
    } catch {
      // No hard links here, or nothing that can be read.
    }
  }
  return null;
}

function quarantineName(path: string, now = Date.now()): string {
  const time = new Date(now).toISOString().replace(/[-:]/g, '').replace('.', '');
  return `${path}.corrupt-${time}-${randomHex(4)}`;
}
