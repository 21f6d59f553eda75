import { nodeAt, type SourceDocument, type SourceProblem } from '../document/document.ts';
import { asMap, type RawEntry } from './entries.ts';

/** Keys of a service that only make sense together. */
export function checkServices(entries: readonly RawEntry[], document: SourceDocument): SourceProblem[] {
  const problems: SourceProblem[] = [];
  for (const { type, name, path, raw } of entries) {
    if (type !== 'service') continue;
    const report = (
      keys: readonly string[],
      found: Pick<SourceProblem, 'severity' | 'code' | 'message'> & { readonly suggestion?: string },
    ) => {
      const at = [...path, ...keys];
      const node = nodeAt(document, at);
      if (node !== null) problems.push({ ...found, start: node.start, end: node.end, path: at });
    };
    const isLanguageServer = raw.kind === 'lsp';
    for (const probe of ['ready', 'live']) {
      const { http, lsp } = asMap(raw[probe]);
      if (typeof http === 'string' && http.startsWith('/') && raw.port === undefined) {
        const message = `a path needs the port of the service, but \`${name}\` has no \`port\``;
        report([probe, 'http'], { severity: 'error', code: 'placeholder', message, suggestion: 'port: auto' });
      }
      if (lsp === true && !isLanguageServer) {
        const message = `only a language server answers this probe, but \`${name}\` is not of \`kind: lsp\``;
        report([probe, 'lsp'], { severity: 'error', code: 'wrong-value', message });
      }
    }
    for (const key of ['languages', 'warm']) {
      if (raw[key] === undefined || isLanguageServer) continue;
      const message = `\`${key}\` has no effect: \`${name}\` is not of \`kind: lsp\``;
      report([key], { severity: 'warning', code: 'wrong-value', message });
    }
  }
  return problems;
}
