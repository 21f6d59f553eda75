import { nodeAt, type SourceDocument, type SourceProblem, type Span } from '../document/document.ts';
import { ENVIRONMENT_NAME } from '../schema/entry.ts';
import { LONGEST_NAME, NAME_PATTERN } from '../schema/scalars.ts';
import { asMap, type RawEntry } from './entries.ts';

/** Names of entries: of the allowed form, and none twice, not even in another case. Names of variables. */
export function checkNames(entries: readonly RawEntry[], document: SourceDocument): SourceProblem[] {
  const problems: SourceProblem[] = [];
  const seen = new Map<string, RawEntry>();
  const report = (entry: RawEntry, message: string, suggestion: string | null = null) => {
    problems.push({
      ...at(document, entry.path),
      severity: 'error',
      code: 'name',
      path: entry.path,
      message,
      suggestion,
    });
  };
  for (const entry of entries) {
    const complaint = complaintAboutName(entry.name);
    if (complaint !== null) report(entry, complaint, validName(entry.name));
    // Logs are files named after entries, and some file systems do not tell `Web` from `web`.
    const earlier = seen.get(entry.name.toLowerCase());
    if (earlier === undefined) seen.set(entry.name.toLowerCase(), entry);
    else if (earlier.name === entry.name) report(entry, `\`${entry.name}\` is the name of a service and of a task`);
    else report(entry, `\`${entry.name}\` differs from \`${earlier.name}\` only in upper and lower case`);
    problems.push(...checkEnvironment(entry, document));
  }
  return problems;
}

/** A name of the allowed form that looks like the given one; `null` when nothing usable is left of it. */
export function validName(text: string): string | null {
  const name = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036F]/g, '')
    .replace(/[^A-Za-z0-9_.:/-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
    .replace(/^-+|-+$/g, '')
    .slice(0, LONGEST_NAME);
  return complaintAboutName(name) === null ? name : null;
}

export function complaintAboutName(name: string): string | null {
  if (name.length > LONGEST_NAME) return `expected a name of at most ${LONGEST_NAME} characters, found ${name.length}`;
  // As a key it would be taken for what an object inherits from.
  if (NAME_PATTERN.test(name) && name !== '__proto__') return null;
  const found = name === '' ? 'an empty one' : JSON.stringify(name);
  return `expected a name of letters, digits, \`.\`, \`_\`, \`-\`, \`:\` and \`/\` without \`..\`, found ${found}`;
}

/** The variable by which Coppice knows its own children. */
const MARKER_VARIABLE = 'COPPICE_TREE';

function checkEnvironment(entry: RawEntry, document: SourceDocument): SourceProblem[] {
  const problems: SourceProblem[] = [];
  for (const [name, value] of Object.entries(asMap(entry.raw.env))) {
    const path = [...entry.path, 'env', name];
    const node = nodeAt(document, path);
    if (node === null) continue;
    const error = { ...at(document, path), severity: 'error', path } as const;
    if (!ENVIRONMENT_NAME.test(name) || name.includes('\0')) {
      const message = `expected the name of a variable (no \`=\`, no white space), found ${JSON.stringify(name)}`;
      problems.push({ ...error, code: 'name', message });
    } else if (name.toUpperCase() === MARKER_VARIABLE) {
      const message = `\`${MARKER_VARIABLE}\` is set by Coppice for each start, and cannot be given another value`;
      problems.push({ ...error, code: 'name', message });
    }
    const source = document.text.slice(node.start, node.end);
    if ((typeof value === 'number' || typeof value === 'boolean') && source !== String(value)) {
      // Without the value itself: messages are recorded, and it may be a secret.
      const message = `expected a text in quotes, found a ${typeof value} that would be passed on in another spelling`;
      const { start, end } = node;
      problems.push({ ...error, start, end, code: 'wrong-value', message, suggestion: JSON.stringify(source) });
    }
  }
  return problems;
}

function at(document: SourceDocument, path: RawEntry['path']): Span {
  const node = nodeAt(document, path);
  const { start, end } = node?.key ?? node ?? { start: 0, end: 0 };
  return { start, end };
}
