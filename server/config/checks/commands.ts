import { closest } from '../../text/suggest.ts';
import {
  type ConfigPath,
  nodeAt,
  offsetInString,
  type SourceDocument,
  type SourceNode,
  type SourceProblem,
} from '../document/document.ts';
import { splitWords } from '../words.ts';
import { asMap, type RawEntry } from './entries.ts';

/** Commands that can be split into words, and placeholders that will have a value. */
export function checkCommands(entries: readonly RawEntry[], document: SourceDocument): SourceProblem[] {
  return entries.flatMap((entry) => {
    const usesShell = entry.raw.shell === true;
    return [
      ...checkCommand([...entry.path, 'command'], usesShell, document),
      ...['ready', 'live'].flatMap((probe) => checkCommand([...entry.path, probe, 'exec'], false, document)),
      ...checkPlaceholders(entry, usesShell, document),
      ...['ready', 'live'].flatMap((probe) => checkPattern([...entry.path, probe, 'log'], document)),
    ];
  });
}

export const PORT_PLACEHOLDER = '${port}';

function checkCommand(path: ConfigPath, usesShell: boolean, document: SourceDocument): SourceProblem[] {
  const node = nodeAt(document, path);
  if (node === null) return [];
  const { start, end } = node;
  if (Array.isArray(node.value)) {
    if (usesShell) {
      const message = 'expected one text, because `shell` is `true`, found a list';
      return [{ severity: 'error', code: 'command', start, end, path, message }];
    }
    const first = node.children?.get('0');
    if (first?.value !== '') return [];
    const message = 'expected a program first, found an empty word';
    return [{ severity: 'error', code: 'command', start: first.start, end: first.end, path: [...path, 0], message }];
  }
  if (typeof node.value !== 'string' || node.value === '') return [];
  if (usesShell) {
    if (node.value.trim() !== '') return [];
    return [{ severity: 'error', code: 'command', start, end, path, message: 'expected a command, found white space' }];
  }
  return problemsOfText(node.value, node, path, document);
}

function problemsOfText(text: string, node: SourceNode, path: ConfigPath, document: SourceDocument): SourceProblem[] {
  const isProbe = path.at(-1) === 'exec';
  const problems: SourceProblem[] = [];
  for (const { severity, kind, index, length, message } of splitWords(text).problems) {
    const start = offsetInString(document.text, node, index);
    const span = { severity, path, start, end: Math.min(start + length, Math.max(node.end, start)) };
    if (kind !== 'shell') problems.push({ ...span, code: 'command', message });
    // The check of placeholders says this better.
    else if (misspelledPlaceholder(text.slice(index, index + length)) === null) {
      const suggestion = isProbe ? JSON.stringify(['sh', '-c', text.trim()]) : 'shell: true';
      problems.push({ ...span, code: 'shell-syntax', message, suggestion });
    }
  }
  return problems;
}

/** `${port}` needs a port; `${PORT}`, `${prot}` and, where no shell reads it, `$PORT` were meant to be it. */
function checkPlaceholders(entry: RawEntry, usesShell: boolean, document: SourceDocument): SourceProblem[] {
  const problems: SourceProblem[] = [];
  const hasPort = entry.raw.port !== undefined;
  for (const { node, path, isScript } of textsWithPlaceholders(entry, usesShell, document)) {
    const text = node.value as string;
    const report = (
      index: number,
      length: number,
      found: Pick<SourceProblem, 'severity' | 'message' | 'suggestion'>,
    ) => {
      const start = offsetInString(document.text, node, index);
      problems.push({ ...found, code: 'placeholder', path, start, end: start + length });
    };
    const index = text.indexOf(PORT_PLACEHOLDER);
    // In the script of a task `${port}` can only be a variable of the shell.
    if (index !== -1 && !hasPort && !(isScript && entry.type === 'task')) {
      const why = entry.type === 'task' ? 'and a task has none' : `but \`${entry.name}\` has no \`port\``;
      const message = `\`${PORT_PLACEHOLDER}\` stands for the port of the service, ${why}`;
      const suggestion = entry.type === 'task' ? null : 'port: auto';
      report(index, PORT_PLACEHOLDER.length, { severity: 'error', message, suggestion });
    }
    if (isScript) continue;
    for (const match of text.matchAll(/\$(?:\{\w+\}|\w+)/g)) {
      if (misspelledPlaceholder(match[0]) === null) continue;
      const message = `\`${match[0]}\` is passed on as it is: only \`${PORT_PLACEHOLDER}\` is filled in`;
      report(match.index, match[0].length, { severity: 'warning', message, suggestion: PORT_PLACEHOLDER });
    }
  }
  return problems;
}

/** A pattern is a regular expression, in which `$` and `{` have a meaning of their own. */
function checkPattern(path: ConfigPath, document: SourceDocument): SourceProblem[] {
  const node = nodeAt(document, path);
  const index = typeof node?.value === 'string' ? node.value.indexOf(PORT_PLACEHOLDER) : -1;
  if (node === null || index === -1) return [];
  const start = offsetInString(document.text, node, index);
  const message = `\`${PORT_PLACEHOLDER}\` is not filled in in a pattern: \`\\d+\` matches any port`;
  return [{ severity: 'warning', code: 'placeholder', path, start, end: start + PORT_PLACEHOLDER.length, message }];
}

interface PlaceholderText {
  readonly node: SourceNode;
  readonly path: ConfigPath;
  readonly isScript: boolean;
}

function textsWithPlaceholders(entry: RawEntry, usesShell: boolean, document: SourceDocument): PlaceholderText[] {
  const texts: PlaceholderText[] = [];
  const collect = (path: ConfigPath, isScript: boolean) => {
    const node = nodeAt(document, path);
    if (typeof node?.value === 'string') texts.push({ node, path, isScript });
    else for (const step of node?.children?.keys() ?? []) collect([...path, step], isScript);
  };
  collect([...entry.path, 'command'], usesShell);
  collect([...entry.path, 'env'], false);
  for (const probe of ['ready', 'live']) {
    for (const kind of Object.keys(asMap(entry.raw[probe]))) {
      if (kind !== 'log') collect([...entry.path, probe, kind], false);
    }
  }
  return texts;
}

function misspelledPlaceholder(text: string): string | null {
  const name = /^\$\{?(\w+)\}?$/.exec(text)?.[1];
  if (name === undefined || text === PORT_PLACEHOLDER) return null;
  const meant = name.toLowerCase() === 'port' || (text.includes('{') && closest(name, ['port']) !== null);
  return meant ? PORT_PLACEHOLDER : null;
}
