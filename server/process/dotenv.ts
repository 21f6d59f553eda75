/**
 * `.env` files, read strictly: a line that is not understood is a failure with its number, since a variable that is
 * silently not set is found out much later.
 *
 *   NAME=text          up to the end of the line or ` #`, trimmed; `${OTHER}` is filled in
 *   NAME="text"        may span lines; \n \r \t \" \\ \$ are escapes; `${OTHER}` is filled in
 *   NAME='text'        may span lines; taken as it stands (likewise in backticks)
 *   export NAME=text   the same as without `export`
 *
 * `${OTHER}` is a variable of an earlier line, an earlier file or the environment; one that is not set is a failure
 * unless it says what to take instead: `${OTHER:-text}`. `$OTHER` is text, since passwords hold dollars. Commands are
 * never run.
 */
import { readFileSync } from 'node:fs';

export type DotenvResult =
  | { readonly ok: true; readonly values: ReadonlyMap<string, string> }
  /** `line` counts from 1; 0 is the file as a whole. `message` names the line, and never a value. */
  | { readonly ok: false; readonly line: number; readonly message: string };

export type Lookup = (name: string) => string | undefined;

/** Reads and parses one file. What cannot be read is a failure too. */
export function readEnvironmentFile(path: string, lookup: Lookup): DotenvResult {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    return { ok: false, line: 0, message: READ_FAILURES[code] ?? `cannot be read (${code})` };
  }
  if (bytes.length > LARGEST_FILE) return { ok: false, line: 0, message: 'is larger than 1 MB' };
  try {
    return parseDotenv(new TextDecoder('utf-8', { fatal: true }).decode(bytes), lookup);
  } catch {
    return { ok: false, line: 0, message: 'is not UTF-8 text' };
  }
}

export function parseDotenv(source: string, lookup: Lookup = () => undefined): DotenvResult {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const values = new Map<string, string>();
  const find: Lookup = (name) => values.get(name) ?? lookup(name);
  let at = 0;
  while (at < text.length) {
    const line = lineOf(text, at);
    const end = endOfLine(text, at);
    const content = text.slice(at, end);
    if (/^\s*(#|$)/.test(content)) {
      at = end + 1;
      continue;
    }
    const head = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/.exec(content);
    if (head === null) return failure(line, describeBadLine(content));
    const value = readValue(text, at + head[0].length, find);
    if (!value.ok) return failure(line, value.message);
    if (value.text.includes('\0')) return failure(line, 'a value cannot hold a NUL character');
    values.set(head[1] ?? '', value.text);
    at = value.next;
  }
  return { ok: true, values };
}

const LARGEST_FILE = 1024 * 1024;

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read (permission denied)',
};

type Value =
  | { readonly ok: true; readonly text: string /** Where the next line begins. */; readonly next: number }
  | { readonly ok: false; readonly message: string };

function readValue(text: string, start: number, find: Lookup): Value {
  const quote = text[start];
  if (quote === '"' || quote === "'" || quote === '`') return readQuoted(text, start, quote, find);
  const end = endOfLine(text, start);
  const raw = text.slice(start, end);
  // A comment needs a blank before it: colours and URLs hold `#`.
  const plain = raw.replace(/(^|[ \t]+)#.*$/, '').trimEnd();
  const filled = expand(plain, find);
  return filled.ok ? { ok: true, text: filled.text, next: end + 1 } : filled;
}

function readQuoted(text: string, start: number, quote: string, find: Lookup): Value {
  const close = closingQuote(text, start, quote);
  if (close < 0) return { ok: false, message: `the quote ${quote} is never closed` };
  const end = endOfLine(text, close);
  if (!/^[ \t]*(#.*)?$/.test(text.slice(close + 1, end))) {
    return { ok: false, message: `only a comment may follow the closing ${quote}` };
  }
  const inner = text.slice(start + 1, close);
  if (quote !== '"') return { ok: true, text: inner, next: end + 1 };
  const filled = expand(inner, find, true);
  return filled.ok ? { ok: true, text: filled.text, next: end + 1 } : filled;
}

function closingQuote(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

function expand(
  text: string,
  find: Lookup,
  escapes = false,
): { ok: true; text: string } | { ok: false; message: string } {
  let missing: string | null = null;
  const pattern = /\\([\s\S])|\$\{([A-Za-z_][A-Za-z0-9_.-]*)(:-([^}]*))?\}/g;
  const filled = text.replace(
    pattern,
    (whole, escaped?: string, name?: string, hasElse?: string, otherwise?: string) => {
      if (escaped !== undefined) {
        // Outside quotes a backslash is a backslash (Windows paths), except before a dollar.
        if (!escapes) return escaped === '$' ? '$' : whole;
        return ESCAPES[escaped] ?? whole;
      }
      const value = find(name ?? '');
      if (hasElse !== undefined) return value === undefined || value === '' ? (otherwise ?? '') : value;
      if (value === undefined) missing ??= name ?? '';
      return value ?? '';
    },
  );
  if (missing === null) return { ok: true, text: filled };
  return { ok: false, message: `\${${missing}} is not set; write \${${missing}:-} where it may be empty` };
}

function describeBadLine(content: string): string {
  if (/^[ \t]*(export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*:/.test(content)) return 'expected NAME=value, found a colon';
  if (/^[ \t]*(export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*$/.test(content)) return 'expected NAME=value, found only a name';
  return 'expected NAME=value';
}

function failure(line: number, message: string): DotenvResult {
  return { ok: false, line, message: `line ${line}: ${message}` };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index >= 0 && index < at; index = text.indexOf('\n', index + 1)) line++;
  return line;
}
