import type { ConfigDiagnostic } from '../config/model.ts';
import type { Terminal } from './terminal.ts';

/** Findings of the analyser for people. The formatter is loaded only when there is something to say. */
export async function diagnosticLines(diagnostics: readonly ConfigDiagnostic[], terminal: Terminal): Promise<string[]> {
  if (diagnostics.length === 0) return [];
  const { formatDiagnostic } = await import('../config/reader.ts');
  // Errors first: they are what has to be mended before anything else counts.
  const ordered = [...diagnostics].sort((a, b) => Number(a.severity !== 'error') - Number(b.severity !== 'error'));
  const lines = ordered
    .slice(0, MOST)
    .map((one) =>
      formatDiagnostic(one).replace(/: (error|warning): /, (text, severity: string) =>
        text.replace(severity, terminal.paintMessage(severity === 'error' ? 'red' : 'yellow', severity)),
      ),
    );
  return ordered.length <= MOST ? lines : [...lines, `... and ${ordered.length - MOST} more`];
}

/** More would push the first of them, which the others often follow from, off the screen. */
const MOST = 20;
