/** Collects findings and gives them lines and columns. */
import type { SourceProblem } from './document/document.ts';
import type { ConfigDiagnostic, ConfigProblemCode } from './model.ts';

/** A file that is wrong from top to bottom is not helped by more. */
const MOST_DIAGNOSTICS = 200;
const LONGEST_SOURCE_LINE = 2000;

/** In the order of the text, each once (an alias shows the same mistake wherever it is used). */
export function diagnosticsOf(problems: readonly SourceProblem[], text: string, file: string): ConfigDiagnostic[] {
  const lines = lineStarts(text);
  const seen = new Set<string>();
  const unique = problems.filter(({ start, message }) => {
    const key = `${start} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
  return unique
    .sort((left, right) => left.start - right.start)
    .slice(0, MOST_DIAGNOSTICS)
    .map((problem) => locate(problem, text, file, lines));
}

/** A finding about the file as a whole, whose text is not known or does not matter. */
export function fileDiagnostic(file: string, message: string, code: ConfigProblemCode = 'file'): ConfigDiagnostic {
  return {
    severity: 'error',
    code,
    file,
    line: 1,
    column: 1,
    offset: 0,
    length: 0,
    path: '',
    message,
    suggestion: null,
    sourceLine: null,
  };
}

function locate(problem: SourceProblem, text: string, file: string, lines: readonly number[]): ConfigDiagnostic {
  const offset = Math.min(Math.max(problem.start, 0), text.length);
  const line = lineAt(lines, offset);
  const start = lines[line] ?? 0;
  const sourceLine = text.slice(start, lines[line + 1] ?? text.length).replace(/[\r\n]+$/, '');
  return {
    severity: problem.severity,
    code: problem.code,
    file,
    line: line + 1,
    column: offset - start + 1,
    offset,
    length: Math.max(0, Math.min(problem.end, text.length) - offset),
    path: problem.path.join('.'),
    message: problem.message,
    suggestion: problem.suggestion ?? null,
    sourceLine: sourceLine.length > LONGEST_SOURCE_LINE ? null : sourceLine,
  };
}

/** `\n`, `\r\n` and a lone `\r`, as YAML and editors count lines. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
