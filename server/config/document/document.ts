/**
 * A parsed configuration file: plain values, and where each of them stands in the text. YAML and JSON give the same
 * shape, so that everything after the parser is written once.
 */
import type { ConfigProblemCode } from '../model.ts';

/** UTF-16 offsets, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface SourceNode extends Span {
  /** Only strings, numbers, booleans, `null`, arrays and plain objects. */
  readonly value: unknown;
  /** The key that leads here; `null` for list items and the root. */
  readonly key: Span | null;
  /** Of objects by key, of lists by index. */
  readonly children: ReadonlyMap<string, SourceNode> | null;
}

export type ConfigPath = readonly (string | number)[];

/** A finding before it has lines and columns. */
export interface SourceProblem extends Span {
  readonly severity: 'error' | 'warning';
  readonly code: ConfigProblemCode;
  readonly path: ConfigPath;
  readonly message: string;
  readonly suggestion?: string | null;
}

export interface SourceDocument {
  readonly text: string;
  /** `null` for a file without content, and where the syntax leaves nothing to read. */
  readonly root: SourceNode | null;
  readonly problems: readonly SourceProblem[];
}

/** Deeper nesting than any configuration has; the parsers and all that follows are recursive. */
export const DEEPEST_NESTING = 64;

/** The node at the path, or its nearest ancestor that is in the text. */
export function nearestNode(document: SourceDocument, path: ConfigPath): SourceNode | null {
  let node = document.root;
  for (const step of path) {
    const child: SourceNode | undefined = node?.children?.get(String(step));
    if (child === undefined) return node;
    node = child;
  }
  return node;
}

export function nodeAt(document: SourceDocument, path: ConfigPath): SourceNode | null {
  let node = document.root;
  for (const step of path) node = node?.children?.get(String(step)) ?? null;
  return node;
}

/**
 * Where the character `index` of a string value stands in the text, through quotes, escapes and the indentation of
 * block scalars; the start of the value where the two cannot be matched.
 */
export function offsetInString(text: string, node: SourceNode, index: number): number {
  const { value } = node;
  if (typeof value !== 'string') return node.start;
  let at = node.start;
  const first = text[at];
  const quote = first === '"' || first === "'" ? first : null;
  if (quote !== null) at += 1;
  else if (first === '|' || first === '>') at = text.indexOf('\n', at) + 1;
  for (let position = 0; position < index; position += 1) {
    at = matchCharacter(text, at, node.end, value[position] ?? '', quote);
    if (at < 0) return node.start;
  }
  const skipped = quote === '"' && text[at] === '\\' ? at : skipTo(text, at, node.end, value[index] ?? '');
  return skipped < 0 || skipped > node.end ? node.start : skipped;
}

/** The offset after the spelling of `character` at or after `at`, or -1. */
function matchCharacter(text: string, at: number, end: number, character: string, quote: string | null): number {
  if (quote === '"' && text[at] === '\\') {
    const spelled = /^\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|[\s\S])/.exec(text.slice(at, at + 10));
    return spelled === null ? -1 : at + spelled[0].length;
  }
  const found = skipTo(text, at, end, character);
  if (found < 0) return -1;
  return quote === "'" && character === "'" ? found + 2 : found + 1;
}

/** Folding and indentation add white space that is not in the value. */
function skipTo(text: string, at: number, end: number, character: string): number {
  let position = at;
  while (position < end && text[position] !== character) {
    const folded = character === ' ' && text[position] === '\n';
    if (folded) return position;
    if (!/\s/.test(text[position] ?? '')) return character === '' ? position : -1;
    position += 1;
  }
  return position;
}
