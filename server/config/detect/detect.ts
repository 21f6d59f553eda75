/**
 * What a folder could run, read from the files of other tools. Nothing is executed, so it is safe in a workspace that
 * is not trusted.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { validName } from '../checks/names.ts';
import { LONGEST_NAME } from '../schema/scalars.ts';
import { packageScripts } from './packageScripts.ts';
import { procfileEntries } from './procfile.ts';

export interface DetectedEntry {
  readonly type: 'service' | 'task';
  /** A valid name, and no other entry's, not even in another case. */
  readonly name: string;
  /** Words, or one script for the shell. */
  readonly command: readonly [string, ...string[]] | string;
  readonly kind: 'service' | 'vite' | 'preview';
  readonly port: 'auto' | number | null;
  readonly dependsOn: readonly string[];
  /** Whether `up` without names starts it; always `true` for tasks. */
  readonly enabled: boolean;
  /** The file it was found in, relative to the root. */
  readonly source: string;
  /** What the file says, for a comment. */
  readonly origin: string;
}

/** Something that was found and left out, or that could not be read. Never fatal. */
export interface DetectProblem {
  readonly file: string;
  readonly message: string;
}

export interface Detected {
  readonly entries: readonly DetectedEntry[];
  readonly problems: readonly DetectProblem[];
}

export async function detectEntries(root: string): Promise<Detected> {
  const procfile = await procfileEntries(root);
  const scripts = await packageScripts(root);
  // A Procfile names what makes up the application, and it usually calls the scripts: not both are started.
  const hasProcfile = procfile.entries.some(({ type }) => type === 'service');
  const others = scripts.entries.map((entry) => {
    return hasProcfile && entry.type === 'service' ? { ...entry, enabled: false } : entry;
  });
  return {
    entries: withUniqueNames([...procfile.entries, ...others]),
    problems: [...procfile.problems, ...scripts.problems],
  };
}

/** The text of a file of the root; `null` where there is none, and a problem where it cannot be read. */
export async function readRootFile(root: string, name: string, problems: DetectProblem[]): Promise<string | null> {
  try {
    // Non-blocking, because a named pipe of that name would wait for a writer.
    const file = await open(join(root, name), NON_BLOCKING_READ);
    try {
      const state = await file.stat();
      if (!state.isFile()) {
        problems.push({ file: name, message: 'expected a file, found something else of this name' });
        return null;
      }
      if (state.size > LARGEST_FILE_BYTES) {
        problems.push({ file: name, message: 'larger than 5 MB, so it was not read' });
        return null;
      }
      return (await file.readFile('utf8')).replace(/^\uFEFF/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      problems.push({ file: name, message: `it cannot be read: ${message}` });
    return null;
  }
}

const LARGEST_FILE_BYTES = 5 * 1024 ** 2;
/** `O_NONBLOCK` does not exist on Windows, and neither do named pipes among the files. */
const NON_BLOCKING_READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Names as they were found, made valid, with the file's kind before the second of the same name. */
function withUniqueNames(entries: readonly DetectedEntry[]): DetectedEntry[] {
  const taken = new Set<string>();
  const renamed = new Map<string, string>();
  const named = entries.map((entry) => {
    const base = validName(entry.name) ?? 'unnamed';
    const prefixed = entry.source === 'package.json' ? `script:${base}` : `process:${base}`;
    let name = [base, prefixed].find((candidate) => isFree(candidate, taken));
    for (let number = 2; name === undefined; number += 1) {
      const candidate = `${base.slice(0, LONGEST_NAME - 8)}-${number}`;
      if (isFree(candidate, taken)) name = candidate;
    }
    taken.add(name.toLowerCase());
    renamed.set(`${entry.source} ${entry.name}`, name);
    return { ...entry, name };
  });
  // Dependencies are within one file.
  return named.map((entry) => ({
    ...entry,
    dependsOn: entry.dependsOn.map((name) => renamed.get(`${entry.source} ${name}`) ?? name),
  }));
}

function isFree(name: string, taken: ReadonlySet<string>): boolean {
  return name.length <= LONGEST_NAME && !taken.has(name.toLowerCase());
}
