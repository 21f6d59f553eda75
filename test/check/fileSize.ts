import type { Finding, SourceFile } from './source.ts';

/** About 300 is the rule; this is where it ends. */
export const MOST_LINES = 350;

export function checkFileSize(sources: readonly SourceFile[]): Finding[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    if (lines <= MOST_LINES) return [];
    return [{ path, line: MOST_LINES + 1, message: `has ${lines} lines, ${MOST_LINES} is the most: give it one job` }];
  });
}
