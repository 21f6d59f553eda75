/**
 * Where the configuration of a workspace is. Kept apart from the reader so that a command which only needs the place
 * does not load the parsers and the schema.
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** In the order in which they are named to people; at most one may be there. */
export const CONFIG_FILE_NAMES = ['coppice.yaml', 'coppice.yml', 'coppice.json', 'coppice.jsonc'] as const;

export type FoundConfigFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly file: string }
  /** Which of them counts cannot be guessed. */
  | { readonly kind: 'several'; readonly files: readonly [string, string, ...string[]] };

export function findConfigFile(root: string): FoundConfigFile {
  const [first, second, ...rest] = CONFIG_FILE_NAMES.map((name) => join(root, name)).filter(isThere);
  if (first === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'one', file: first } : { kind: 'several', files: [first, second, ...rest] };
}

/** Whatever cannot be looked at counts as there, so that the reader can say why it cannot be read. */
function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}
