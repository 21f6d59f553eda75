/** JSON with comments and trailing commas, as editors write their own settings. */
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import {
  type ConfigPath,
  DEEPEST_NESTING,
  type SourceDocument,
  type SourceNode,
  type SourceProblem,
  type Span,
} from './document.ts';
import { duplicateKey, lineOf, reservedKey, tooDeep } from './problems.ts';

export function parseJson(text: string): SourceDocument {
  // A byte order mark is no JSON; a space in its place keeps every offset.
  const source = text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text;
  if (nesting(source) > DEEPEST_NESTING) return { text, root: null, problems: [tooDeep({ start: 0, end: 1 }, [])] };
  const errors: ParseError[] = [];
  const tree = parseTree(source, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const problems = errors.map((error) => syntaxProblem(error, text));
  if (tree === undefined) return { text, root: null, problems };
  return { text, root: convert(tree, null, [], text, problems), problems };
}

function convert(node: Node, key: Span | null, path: ConfigPath, text: string, problems: SourceProblem[]): SourceNode {
  const span = { start: node.offset, end: node.offset + node.length, key };
  if (node.type === 'array') {
    const items = (node.children ?? []).map((child, index) => convert(child, null, [...path, index], text, problems));
    const children = new Map(items.map((item, index) => [String(index), item]));
    return { ...span, value: items.map((item) => item.value), children };
  }
  if (node.type !== 'object') return { ...span, value: node.value, children: null };
  const value: Record<string, unknown> = {};
  const children = new Map<string, SourceNode>();
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    // Without a value the parser has already complained.
    if (keyNode === undefined || valueNode === undefined) continue;
    const name = String(keyNode.value);
    const keySpan = { start: keyNode.offset, end: keyNode.offset + keyNode.length };
    const childPath = [...path, name];
    const earlier = children.get(name)?.key;
    if (earlier) problems.push(duplicateKey(keySpan, childPath, lineOf(text, earlier.start)));
    if (name === '__proto__') {
      problems.push(reservedKey(keySpan, childPath));
      continue;
    }
    const child = convert(valueNode, keySpan, childPath, text, problems);
    value[name] = child.value;
    children.set(name, child);
  }
  return { ...span, value, children };
}

function syntaxProblem(error: ParseError, text: string): SourceProblem {
  const start = Math.min(error.offset, text.length);
  const code = printParseErrorCode(error.error);
  const found = text.slice(start, start + Math.max(1, error.length)).trim();
  const what = found === '' ? 'the end of the line' : `\`${found.length > 40 ? `${found.slice(0, 40)}…` : found}\``;
  return {
    severity: 'error',
    code: 'syntax',
    start,
    end: start + error.length,
    path: [],
    message: SYNTAX_MESSAGES[code]?.(what) ?? `not valid JSON (${code}), found ${what}`,
    suggestion: null,
  };
}

const SYNTAX_MESSAGES: Readonly<Record<string, (found: string) => string>> = {
  InvalidSymbol: (found) => `expected a value (text in double quotes, a number, true, false, null), found ${found}`,
  InvalidNumberFormat: (found) => `expected a number, found ${found}`,
  PropertyNameExpected: (found) => `expected a key in double quotes, found ${found}`,
  ValueExpected: (found) => `expected a value, found ${found}`,
  ColonExpected: (found) => `expected \`:\` after the key, found ${found}`,
  CommaExpected: (found) => `expected \`,\` or the closing bracket, found ${found}`,
  CloseBraceExpected: (found) => `expected \`}\`, found ${found}`,
  CloseBracketExpected: (found) => `expected \`]\`, found ${found}`,
  EndOfFileExpected: (found) => `expected the end of the file, found ${found}`,
  UnexpectedEndOfComment: () => 'the comment is never closed',
  UnexpectedEndOfString: () => 'the text is never closed: `"` is missing',
  InvalidUnicode: (found) => `expected \`\\u\` with four hexadecimal digits, found ${found}`,
  InvalidEscapeCharacter: (found) => `expected one of the escapes of JSON after the backslash, found ${found}`,
  InvalidCharacter: () => 'a control character must be written as an escape such as `\\n` or `\\u0007`',
};

/** Counted before parsing: the parser is recursive, and a deep file would end it with a stack overflow. */
function nesting(text: string): number {
  const scanner = createScanner(text, true);
  let depth = 0;
  let deepest = 0;
  for (let token = scanner.scan(); token !== SyntaxKind.EOF && deepest <= DEEPEST_NESTING; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.OpenBracketToken) depth += 1;
    else if (token === SyntaxKind.CloseBraceToken || token === SyntaxKind.CloseBracketToken) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Of jsonc-parser, where they are an ambient `const enum`, which a single file cannot see the values of. */
const SyntaxKind = {
  OpenBraceToken: 1,
  CloseBraceToken: 2,
  OpenBracketToken: 3,
  CloseBracketToken: 4,
  EOF: 17,
} as const;
