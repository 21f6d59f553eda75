import type { ConfigDiagnostic } from '../config/model.ts';
import type { Terminal } from './terminal.ts';

/** Findings of the analyser for people. The formatter is loaded only when there is something to say. */
export async function diagnosticLines(diagnostics: readonly ConfigDiagnostic[], terminal: Terminal): Promise<string[]> {
  if (diagnostics.length === 0) return [];
  const { formatDiagnostic } = await import('../config/reader.ts');
  return diagnostics.map((one) =>
    formatDiagnostic(one).replace(/: (error|warning): /, (text, severity: string) =>
      text.replace(severity, terminal.paintMessage(severity === 'error' ? 'red' : 'yellow', severity)),
    ),
  );
}
