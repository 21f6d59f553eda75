import type { Finding, SourceFile } from './source.ts';

/** About 300 is the rule; this is where it ends. A table of cases may be longer without having a second job. */
export const MOST_LINES = { source: 350, test: 450 } as const;

export function checkFileSize(sources: readonly SourceFile[]): Finding[] {
  return sources.flatMap(({ path, text }) => {
    const most = path.endsWith('.test.ts') ? MOST_LINES.test : MOST_LINES.source;
    const lines = text.replace(/\n$/, '').split('\n').length;
    if (lines <= most) return [];
    return [{ path, line: most + 1, message: `has ${lines} lines, ${most} is the most: give it one job` }];
  });
}
