/** Findings that both kinds of file share, in the same words. */
import { type ConfigPath, DEEPEST_NESTING, type SourceProblem, type Span } from './document.ts';

export function duplicateKey(key: Span, path: ConfigPath, firstLine: number): SourceProblem {
  const message = `the key \`${path.at(-1)}\` stands twice in the same place (first in line ${firstLine})`;
  return { ...error(key, path), code: 'duplicate-key', message };
}

/** As a property name of a JavaScript object it would set what the object inherits from. */
export function reservedKey(key: Span, path: ConfigPath): SourceProblem {
  return { ...error(key, path), code: 'name', message: '`__proto__` cannot be used as a key' };
}

export function tooDeep(span: Span, path: ConfigPath): SourceProblem {
  const message = `nested deeper than ${DEEPEST_NESTING} levels, which no configuration needs`;
  return { ...error(span, path), code: 'syntax', message };
}

/** Counted from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

function error(span: Span, path: ConfigPath): Span & Pick<SourceProblem, 'severity' | 'path'> {
  return { severity: 'error', path, start: span.start, end: span.end };
}
