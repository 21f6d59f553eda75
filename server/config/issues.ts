/** Turns what the schema refuses into findings: expected what, found what, where, and what was probably meant. */
import type { z } from 'zod';
import { closest } from '../text/suggest.ts';
import {
  type ConfigPath,
  nearestNode,
  nodeAt,
  type SourceDocument,
  type SourceProblem,
  type Span,
} from './document/document.ts';
import { guessDuration, guessFlag, guessHttp, guessNumber, guessPort, guessSize, guessWord } from './hints.ts';
import { knownKeys, otherHomeOf } from './knownKeys.ts';

type Issue = z.core.$ZodIssue;

export function problemsOf(issues: readonly Issue[], document: SourceDocument): SourceProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], document));
}

/** A value in words, for "found ...". */
export function describeFound(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  if (typeof value === 'string') return value === '' ? 'an empty text' : quoted(value);
  return typeof value === 'number' ? `the number ${value}` : `\`${String(value)}\``;
}

export function quoted(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

function problemsOfIssue(issue: Issue, parent: ConfigPath, document: SourceDocument): SourceProblem[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], document));
    case 'invalid_union': {
      const branch = fittingBranch(issue.errors);
      if (branch !== null) return branch.flatMap((inner) => problemsOfIssue(inner, path, document));
      return [wrongValue(path, document, issue.message, wordsOf(issue.errors))];
    }
    case 'invalid_value':
      return [wrongValue(path, document, issue.message, issue.values.map(String))];
    case 'custom':
      return [wrongValue(path, document, issue.message, [], issue.params)];
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => problemsOfIssue(inner, path, document));
    case 'invalid_type':
    case 'too_big':
    case 'too_small':
    case 'not_multiple_of':
    case 'invalid_format':
      return [wrongValue(path, document, issue.message, [])];
    default:
      return issue satisfies never;
  }
}

/** The branch of a union whose kind of value is there, so that its own complaints are the useful ones. */
function fittingBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fits = (issues: readonly Issue[]) =>
    issues.length > 0 &&
    issues.every((issue) => issue.path.length > 0 || !['invalid_type', 'invalid_value'].includes(issue.code));
  return branches.find(fits) ?? null;
}

function wordsOf(branches: readonly (readonly Issue[])[]): string[] {
  return branches.flat().flatMap((issue) => {
    if (issue.code === 'invalid_value') return issue.values.map(String);
    return issue.code === 'invalid_union' ? wordsOf(issue.errors) : [];
  });
}

function unknownKey(path: ConfigPath, document: SourceDocument): SourceProblem {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const known = knownKeys(parent);
  const suggestion = closest(key, known);
  const home = suggestion === null ? otherHomeOf(key, parent, nodeAt(document, path)?.value) : null;
  const list = known.filter((name) => !name.startsWith('$')).map((name) => `\`${name}\``);
  const expected = home ?? `expected ${list.length === 1 ? '' : 'one of '}${list.join(', ')}`;
  return {
    severity: 'error',
    code: 'unknown-key',
    ...keySpan(document, path),
    path,
    message: suggestion === null ? `unknown key \`${key}\`: ${expected}` : `unknown key \`${key}\``,
    suggestion,
  };
}

function wrongValue(
  path: ConfigPath,
  document: SourceDocument,
  expected: string,
  words: readonly string[],
  params: { readonly guess?: unknown; readonly found?: unknown } = {},
): SourceProblem {
  const node = nodeAt(document, path);
  if (node === null) {
    const parent = keySpan(document, path.slice(0, -1));
    const message = `\`${path.at(-1)}\` is missing: expected ${expected}`;
    return { severity: 'error', code: 'missing-key', ...parent, path, message, suggestion: null };
  }
  const found = typeof params.found === 'string' ? params.found : describeFound(node.value);
  const isText = typeof node.value === 'string';
  return {
    severity: 'error',
    code: isText || params.guess !== undefined ? 'wrong-value' : 'wrong-type',
    // An empty value has no extent of its own; its key is what can be pointed at.
    ...(node.end > node.start
      ? { start: node.start, end: node.end }
      : (node.key ?? { start: node.start, end: node.end })),
    path,
    message: `expected ${expected}, found ${found}`,
    suggestion: params.guess === false ? null : guess(expected, node.value, words, path, document),
  };
}

function guess(
  expected: string,
  found: unknown,
  words: readonly string[],
  path: ConfigPath,
  document: SourceDocument,
): string | null {
  const byWord = words.length > 0 ? guessWord(found, words) : null;
  if (byWord !== null) return byWord === '${port}' ? '"${port}"' : byWord;
  if (expected.startsWith('a duration')) return guessDuration(found);
  if (expected.startsWith('a size')) return guessSize(found);
  if (expected.startsWith('a whole number')) return guessNumber(found);
  if (expected.startsWith('`true`')) return guessFlag(found);
  if (expected.startsWith('a path such as')) return guessHttp(found);
  if (expected.includes('a port from')) return guessPort(found);
  if (/^a list/.test(expected) && typeof found === 'string') return `[${found}]`;
  if (typeof found !== 'number' && typeof found !== 'boolean') return null;
  if (!/^(?:a|the) (?:command|word|text|file|folder|name|glob|regular|language)/.test(expected)) return null;
  const node = nearestNode(document, path);
  return node === null ? null : JSON.stringify(document.text.slice(node.start, node.end));
}

function keySpan(document: SourceDocument, path: ConfigPath): Span {
  const node = nearestNode(document, path);
  const span = node?.key ?? node ?? { start: 0, end: 0 };
  return { start: span.start, end: node?.key ? span.end : Math.min(span.end, span.start + 1) };
}
