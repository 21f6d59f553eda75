import { LineSplitter, readRange, stripAnsi, waitForLine } from '../../process/output/index.ts';
import type { ProbeContext, ProbePurpose, ProbeResult, Prober } from './types.ts';

/**
 * Ready when a line of this incarnation's own output matches. Live when one was printed since the last look, so that
 * a program can beat in its log.
 */
export function createLogProber(pattern: string, context: ProbeContext, purpose: ProbePurpose): Prober {
  const expression = compile(pattern);
  if (expression === null) {
    const answer: ProbeResult = { ok: false, detail: `log: ${pattern} is not a regular expression` };
    return { patient: false, attempt: async () => answer };
  }
  switch (purpose) {
    case 'readiness':
      return { patient: true, attempt: (signal) => waitForMatch(expression, context, signal) };
    case 'liveness':
      return { patient: false, attempt: createLook(expression, context) };
    default:
      return purpose satisfies never;
  }
}

async function waitForMatch(expression: RegExp, context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  const { path, offset } = context.output;
  const line = await waitForLine(path, { offset, signal, matches: (text) => expression.test(text) });
  return line === null ? missing(expression) : matched(line);
}

/** Each look begins where the last one ended. */
function createLook(expression: RegExp, context: ProbeContext): Prober['attempt'] {
  let position = context.output.offset;
  let splitter = new LineSplitter(LONGEST_MATCHED);
  return async (signal) => {
    let found: string | null = null;
    while (!signal.aborted) {
      const range = await readRange(context.output.path, position, Number.POSITIVE_INFINITY, BYTES_A_READ);
      if (range.from !== position) splitter = new LineSplitter(LONGEST_MATCHED);
      position = range.to;
      for (const line of splitter.push(range.bytes)) {
        const text = stripAnsi(line.text);
        if (found === null && expression.test(text)) found = text;
      }
      if (range.bytes.length < BYTES_A_READ) break;
    }
    return found === null ? missing(expression) : matched(found);
  };
}

function compile(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern);
  } catch {
    return null;
  }
}

function missing(expression: RegExp): ProbeResult {
  return { ok: false, detail: `no line of output matches ${expression}` };
}

function matched(line: string): ProbeResult {
  const text = line.trim();
  return { ok: true, detail: `printed: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}` };
}

const SHOWN = 160;
const LONGEST_MATCHED = 16 * 1024;
const BYTES_A_READ = 1024 * 1024;
