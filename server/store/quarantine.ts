import { renameSync } from 'node:fs';
import { randomHex } from './names.ts';

/**
 * Sets a file that cannot be understood aside, beside where it was, as `<name>.corrupt-<time>`: it is evidence, and the
 * next write would destroy it. Gives its new path; `null` when it could not be moved.
 */
export function quarantineFile(path: string, now = Date.now()): string | null {
  const aside = quarantineName(path, now);
  try {
    renameSync(path, aside);
    return aside;
  } catch {
    return null;
  }
}

export function quarantineName(path: string, now = Date.now()): string {
  const time = new Date(now).toISOString().replace(/[-:]/g, '').replace('.', '');
  return `${path}.corrupt-${time}-${randomHex(4)}`;
}
