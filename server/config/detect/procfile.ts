/**
 * A Procfile: one process a line. Where there is a `Procfile.dev` as well it is the one that is read: by convention
 * it is what runs on a developer's machine, and `Procfile` is what runs in production.
 */
import { splitWords } from '../words.ts';
import { type Detected, type DetectedEntry, type DetectProblem, readRootFile } from './detect.ts';

export async function procfileEntries(root: string): Promise<Detected> {
  const problems: DetectProblem[] = [];
  for (const file of ['Procfile.dev', 'Procfile']) {
    const text = await readRootFile(root, file, problems);
    if (text !== null) return { entries: entriesOf(text, file, problems), problems };
  }
  return { entries: [], problems };
}

function entriesOf(text: string, file: string, problems: DetectProblem[]): DetectedEntry[] {
  const entries = new Map<string, DetectedEntry>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, name, script] = /^([A-Za-z0-9_.-]+)\s*:\s*(.+)$/.exec(trimmed) ?? [];
    if (name === undefined || script === undefined) {
      problems.push({ file, message: `line ${index + 1} is left out: expected \`name: command\`` });
    } else if (entries.has(name)) {
      problems.push({ file, message: `line ${index + 1} is left out: \`${name}\` stands in the file already` });
    } else {
      entries.set(name, entryOf(name, script, file));
    }
  }
  return [...entries.values()];
}

/** Heroku runs `release` once before the others; every other name is a process that stays. */
const RELEASE = 'release';

function entryOf(name: string, script: string, source: string): DetectedEntry {
  const { words, problems } = splitWords(script);
  const [program, ...rest] = words;
  // In a Procfile `${port}` is a variable of the shell. Coppice would fill it in; `${port-}` means the same to a shell.
  const hasLookalike = script.includes('${port}');
  const needsShell = problems.length > 0 || program === undefined || hasLookalike;
  const usesPort = name === 'web' || /\$\{?PORT\b/.test(script);
  return {
    type: name === RELEASE ? 'task' : 'service',
    name,
    command: needsShell ? script.replaceAll('${port}', '${port-}') : [program, ...rest],
    kind: 'service',
    port: usesPort && name !== RELEASE ? 'auto' : null,
    dependsOn: [],
    enabled: true,
    source,
    origin: script,
  };
}
