import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Version of this Coppice: of the package.json beside the bundle or, in the source tree, above this folder. */
export function version(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = versionIn(join(folder, 'package.json'));
    if (found !== null) return found;
    if (folder === dirname(folder)) return '0.0.0';
  }
}

function versionIn(file: string): string | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isOurs = typeof parsed === 'object' && parsed !== null && 'name' in parsed && parsed.name === 'coppice';
    return isOurs && 'version' in parsed && typeof parsed.version === 'string' ? parsed.version : null;
  } catch {
    return null;
  }
}
