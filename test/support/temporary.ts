import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A folder of the test's own under the system's temporary one; `removeTemporaryFolders` in an `after` hook ends it. */
export function temporaryFolder(label = 'test'): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `coppice-${label}-`)));
  folders.push(folder);
  return folder;
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
