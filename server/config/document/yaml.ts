/**
 * YAML 1.2, where `no` and `off` are words and not `false`. The tree of the parser is converted here and not by its
 * own `toJS`, for the positions, for keys that stand twice, and to bound what aliases unfold to.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import {
  type ConfigPath,
  DEEPEST_NESTING,
  type SourceDocument,
  type SourceNode,
  type SourceProblem,
  type Span,
} from './document.ts';
import { duplicateKey, lineOf, reservedKey, tooDeep } from './problems.ts';

export function parseYaml(text: string): SourceDocument {
  const bracket = bracketTooDeep(text);
  if (bracket !== null) return { text, root: null, problems: [tooDeep(bracket, [])] };
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    // The parser is recursive. Whatever else it throws is reported with its own words: bad input is answered.
    const problem =
      error instanceof RangeError
        ? tooDeep({ start: 0, end: 1 }, [])
        : syntaxProblem('error', 'THROWN', String((error as Error).message), [0, 1], text);
    return { text, root: null, problems: [problem] };
  }
  const problems = withoutCascade(document.errors).map((error) =>
    syntaxProblem('error', error.code, error.message, error.pos, text),
  );
  for (const { code, message, pos } of document.warnings) {
    problems.push(syntaxProblem('warning', code, message, pos, text));
  }
  if (document.errors.length > 0) return { text, root: null, problems };
  const converter = new Converter(text, problems);
  const root = document.contents === null ? null : converter.convert(document.contents, null, []);
  return { text, root: root?.value === null ? null : root, problems };
}

/**
 * Where brackets open deeper than is allowed; `null` when nowhere. The parser is recursive and has an error for each one
 * that stays open: 100 kB of them would hold up the event loop of a supervisor, which reads each saved file, for a second.
 */
function bracketTooDeep(text: string): Span | null {
  if ((text.match(/[[{]/g)?.length ?? 0) <= DEEPEST_NESTING) return null;
  let depth = 0;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    if (LEXER_MARKS.has(token)) continue;
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > DEEPEST_NESTING) return { start: offset, end: offset + 1 };
    offset += token.length;
  }
  return null;
}

/** Tokens that stand for no text: beginning of a document, end of a flow, a scalar follows. */
const LEXER_MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/** What aliases may add to the size of the file, in values: far beyond any real use, far below what hurts. */
const MOST_VALUES_FROM_ALIASES = 100_000;

class Converter {
  readonly #text: string;
  readonly #problems: SourceProblem[];
  /** What each anchor has become; `pending` while it is being converted, so that it cannot hold itself. */
  readonly #anchors = new Map<string, SourceNode | 'pending'>();
  readonly #sizes = new WeakMap<NonNullable<SourceNode['children']>, number>();
  #fromAliases = 0;

  constructor(text: string, problems: SourceProblem[]) {
    this.#text = text;
    this.#problems = problems;
  }

  convert(node: unknown, key: Span | null, path: ConfigPath): SourceNode {
    const [start, end] = rangeOf(node) ?? [key?.end ?? 0, key?.end ?? 0];
    const span = { start, end, key };
    const nothing: SourceNode = { ...span, value: null, children: null };
    if (path.length > DEEPEST_NESTING) {
      this.#problems.push(tooDeep(span, path));
      return nothing;
    }
    if (isAlias(node)) return this.#alias(node.source, span, path) ?? nothing;
    const anchor = (isScalar(node) || isMap(node) || isSeq(node)) && node.anchor;
    if (anchor) this.#anchors.set(anchor, 'pending');
    let converted = nothing;
    if (isMap(node)) converted = this.#map(node, span, path);
    else if (isSeq(node)) converted = this.#list(node.items, span, path);
    else if (isScalar(node)) converted = { ...nothing, value: this.#scalar(node.value, span, path) };
    if (anchor) this.#anchors.set(anchor, converted);
    return converted;
  }

  #scalar(value: unknown, span: Span, path: ConfigPath): unknown {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    this.#error('wrong-type', span, path, 'expected a text, a number, true or false, found a value of another kind');
    return null;
  }

  #list(items: readonly unknown[], span: Span & { key: Span | null }, path: ConfigPath): SourceNode {
    const nodes = items.map((item, index) => this.convert(item, null, [...path, index]));
    const children = new Map(nodes.map((node, index) => [String(index), node]));
    return { ...span, value: nodes.map((node) => node.value), children };
  }

  #map(map: YAMLMap, span: Span & { key: Span | null }, path: ConfigPath): SourceNode {
    const own = new Map<string, SourceNode>();
    const merged = new Map<string, SourceNode>();
    for (const pair of map.items) {
      const key = this.#key(pair, path);
      if (key === null) continue;
      const childPath = [...path, key.name];
      if (key.isMerge) {
        this.#merge(this.convert(pair.value, key.span, path), merged);
        continue;
      }
      const earlier = own.get(key.name)?.key;
      if (earlier) this.#problems.push(duplicateKey(key.span, childPath, lineOf(this.#text, earlier.start)));
      own.set(key.name, this.convert(pair.value, key.span, childPath));
    }
    // What the map says itself counts before what it merges, wherever the merge key stands.
    const children = new Map([...merged, ...own]);
    const value = Object.fromEntries([...children].map(([name, child]) => [name, child.value]));
    return { ...span, value, children };
  }

  #key(pair: Pair, path: ConfigPath): { name: string; span: Span; isMerge: boolean } | null {
    const { key } = pair;
    const [start, end] = rangeOf(key) ?? rangeOf(pair.value) ?? [0, 0];
    const span = { start, end };
    if (!isScalar(key) || key.value === null) {
      this.#error(
        'syntax',
        span,
        path,
        `expected a word as the key, found ${isScalar(key) ? 'nothing' : 'a structure'}`,
      );
      return null;
    }
    // `080: x` and `on: x` are meant as they are written, whatever number or boolean they could be.
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    if (name === '__proto__') {
      this.#problems.push(reservedKey(span, [...path, name]));
      return null;
    }
    return { name, span, isMerge: name === '<<' && key.type === 'PLAIN' };
  }

  /** The earlier of several merged maps wins. */
  #merge(source: SourceNode, into: Map<string, SourceNode>): void {
    const parts = Array.isArray(source.value) ? [...(source.children?.values() ?? [])] : [source];
    for (const part of parts) {
      if (part.children === null || Array.isArray(part.value)) {
        this.#error('wrong-type', part, [], 'expected `<<` to merge a map (or a list of maps)');
        continue;
      }
      for (const [name, child] of part.children) if (!into.has(name)) into.set(name, child);
    }
  }

  #alias(name: string, span: Span & { key: Span | null }, path: ConfigPath): SourceNode | null {
    const target = this.#anchors.get(name);
    if (target === undefined || target === 'pending') {
      const why = target === undefined ? `no anchor \`&${name}\` stands before it` : 'it would contain itself';
      this.#error('syntax', span, path, `the alias \`*${name}\` leads nowhere: ${why}`);
      return null;
    }
    this.#fromAliases += this.#sizeOf(target);
    if (this.#fromAliases > MOST_VALUES_FROM_ALIASES) {
      // Said once: every alias after it would say the same.
      if (Number.isFinite(this.#fromAliases)) {
        const message = `the aliases unfold to more than ${MOST_VALUES_FROM_ALIASES} values`;
        this.#error('syntax', span, path, message);
      }
      this.#fromAliases = Number.POSITIVE_INFINITY;
      return null;
    }
    return { ...target, key: span.key };
  }

  /** In values, everything below included. Remembered, because what aliases share would be counted again and again. */
  #sizeOf(node: SourceNode): number {
    if (node.children === null) return 1;
    let size = this.#sizes.get(node.children);
    if (size === undefined) {
      size = 1;
      for (const child of node.children.values()) size += this.#sizeOf(child);
      this.#sizes.set(node.children, size);
    }
    return size;
  }

  #error(code: SourceProblem['code'], span: Span, path: ConfigPath, message: string): void {
    this.#problems.push({ severity: 'error', code, start: span.start, end: span.end, path, message });
  }
}

function rangeOf(node: unknown): readonly [number, number] | null {
  const range = (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range;
  return range ? [range[0], range[1]] : null;
}

/** After the first error the parser is out of step, and complains about everything up to the end of the file. */
function withoutCascade(errors: readonly YAMLParseError[]): readonly YAMLParseError[] {
  return errors.filter((error, index) => index === 0 || error.code !== 'UNEXPECTED_TOKEN');
}

function syntaxProblem(
  severity: 'error' | 'warning',
  code: string,
  words: string,
  [start, end]: readonly [number, number],
  text: string,
): SourceProblem {
  const problem = { severity, code: 'syntax', start, end, path: [] } as const;
  const placeholder = placeholderBefore(text, start);
  if (placeholder !== null && (code === 'UNEXPECTED_TOKEN' || code === 'BAD_INDENT' || code === 'MISSING_CHAR')) {
    const message = 'inside `{ }` or `[ ]` YAML takes the `{` of a placeholder for a map: put the text in quotes';
    return {
      ...problem,
      ...placeholder,
      message,
      suggestion: JSON.stringify(text.slice(placeholder.start, placeholder.end)),
    };
  }
  return { ...problem, message: SYNTAX_MESSAGES[code] ?? `not valid YAML: ${words}` };
}

const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'expected spaces as indentation, found a tab',
  MULTIPLE_DOCS: 'expected one document, found a second one after `---`',
  BLOCK_AS_IMPLICIT_KEY:
    'expected one `key: value` in the line, found a second one: put a text that holds `: ` in quotes',
};

/** An unquoted word in a flow collection that holds `${...}`, at or just before the place of the error. */
function placeholderBefore(text: string, offset: number): Span | null {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, text.indexOf('\n', offset) === -1 ? text.length : text.indexOf('\n', offset));
  const match = /(?<=[:,[{]\s*)[^\s"'{}[\],]*\$\{\w+\}[^\s"'{}[\],]*/.exec(line);
  if (match === null) return null;
  const start = lineStart + match.index;
  const end = start + match[0].length;
  return offset >= start && offset <= end ? { start, end } : null;
}
