/** Reads the configuration of a workspace. Loads the parsers and the schema; `find.ts` does not. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { analyse, emptyConfiguration, LARGEST_CONFIG_BYTES, tooLarge } from './analyse.ts';
import { findConfigFile } from './find.ts';
import type { ConfigResult } from './model.ts';
import { fileDiagnostic } from './report.ts';

export { analyse } from './analyse.ts';
export { findConfigFile } from './find.ts';
export { diagnosticText, formatDiagnostic } from './format.ts';

/** A folder without a configuration has an empty one, whose `file` is `null`. */
export async function readWorkspaceConfig(root: string): Promise<ConfigResult> {
  const found = findConfigFile(root);
  switch (found.kind) {
    case 'none':
      return { ok: true, config: emptyConfiguration(root), warnings: [] };
    case 'several': {
      const names = found.files.map((file) => basename(file));
      const message = `expected one configuration, found ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
      return { ok: false, diagnostics: found.files.map((file) => fileDiagnostic(file, message)) };
    }
    case 'one': {
      const content = await readText(found.file);
      if (content.ok) return analyse(content.text, found.file, root);
      const { diagnostic } = content;
      return { ok: false, diagnostics: [diagnostic] };
    }
    default:
      return found satisfies never;
  }
}

type Content =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: ReturnType<typeof fileDiagnostic> };

async function readText(file: string): Promise<Content> {
  const refuse = (message: string): Content => ({ ok: false, diagnostic: fileDiagnostic(file, message) });
  let bytes: Buffer;
  try {
    // Looked at first: opening a named pipe would wait for somebody who writes.
    const { size, ...state } = await stat(file).then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!state.isFile) return refuse('expected a file, found something else of this name');
    if (size > LARGEST_CONFIG_BYTES) return { ok: false, diagnostic: tooLarge(file) };
    bytes = await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return refuse(`the file cannot be read: ${READ_FAILURES[code ?? ''] ?? message}`);
  }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return refuse('expected text in UTF-8, found bytes that are not');
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'it is a link that leads nowhere, or it has just been removed',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'it is a link that leads to itself',
  EMFILE: 'too many files are open',
};
