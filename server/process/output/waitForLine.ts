import { followOutput } from './followOutput.ts';
import { LineSplitter } from './lineSplitter.ts';
import { stripAnsi } from './stripAnsi.ts';

export interface LineWait {
  /** Position to begin at: an incarnation's `outputOffset`, so that no earlier one's line is taken for its own. */
  readonly offset: number;
  readonly signal: AbortSignal;
  /** Asked of each line, without colours; also of text that a program left standing without an ending. */
  readonly matches: (text: string) => boolean;
}

/** The first line that matches, or `null` when `signal` came first. Reads each byte once. */
export async function waitForLine(path: string, { offset, signal, matches }: LineWait): Promise<string | null> {
  const found = new AbortController();
  const splitter = new LineSplitter(LONGEST_MATCHED);
  let result: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const test = (line: string): boolean => {
    const text = stripAnsi(line);
    if (result !== null || !matches(text)) return false;
    result = text;
    found.abort();
    return true;
  };
  try {
    await followOutput(path, {
      offset,
      signal: AbortSignal.any([signal, found.signal]),
      onChunk: (bytes) => {
        clearTimeout(timer);
        for (const line of splitter.push(bytes)) if (test(line.text)) return;
      },
      onCaughtUp: () => {
        clearTimeout(timer);
        // Not at once: `port 30` may be the beginning of `port 3000`.
        if (splitter.pending !== '') timer = setTimeout(() => test(splitter.pending), STANDING_MS);
      },
    });
  } finally {
    clearTimeout(timer);
  }
  return result;
}

/** A pattern is the user's own, and may take long on a long line. */
const LONGEST_MATCHED = 16 * 1024;
const STANDING_MS = 200;
