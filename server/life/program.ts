import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS } from './heapCap.ts';

export type Program =
  | { readonly ok: true; readonly file: string }
  | { readonly ok: false; readonly searched: readonly string[] };

/** The supervisor's own program: beside this file in `dist`, or the source itself where this runs from source. */
export function findProgram(): Program {
  const file = programFile();
  return existsSync(file) ? { ok: true, file } : { ok: false, searched: [file] };
}

export function programFile(): string {
  return import.meta.filename.endsWith('.ts')
    ? join(import.meta.dirname, '..', 'main.ts')
    : join(import.meta.dirname, 'supervisor.cjs');
}

/** The command line of a supervisor, by this process's own Node. */
export function supervisorCommand(program: string, root: string): readonly [string, ...string[]] {
  return [process.execPath, ...NODE_FLAGS, program, '--root', root];
}
