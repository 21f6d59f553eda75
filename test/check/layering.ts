import { posix } from 'node:path';
import { type Finding, moduleReferences, type SourceFile } from './source.ts';

/** The house from the roof down: each may import those below it and itself, never one above. */
export const LAYERS: readonly string[] = [
  'extension',
  'server/cli',
  'server/main.ts',
  'server/life',
  'server/api',
  'server/supervisor.ts',
  'server/reconcile',
  'server/doctor',
  'server/task',
  'server/language',
  'server/service',
  'server/store',
  'server/process',
  'server/config',
];

/** Imports nothing, may be used by all. */
const WORDS = 'server/text';

/** What the extension may use of the server: the protocol, and the restart core for the supervisor's own restarts. */
const OPEN_TO_EXTENSION = ['server/api', 'server/service/restartCore.ts', WORDS];

/** Findings of imports that run upwards, leave the house, or name `vscode` outside the extension. */
export function checkLayering(sources: readonly SourceFile[]): Finding[] {
  return sources.flatMap((source) => {
    const findings: Finding[] = [];
    const from = layerOf(source.path);
    if (from === null) {
      findings.push({
        path: source.path,
        line: 1,
        message: `stands in no layer; the layers are ${LAYERS.join(' > ')}`,
      });
    }
    for (const { specifier, line } of moduleReferences(source)) {
      const message = judge(source.path, from, specifier);
      if (message !== null) findings.push({ path: source.path, line, message });
    }
    return findings;
  });
}

function judge(path: string, from: string | null, specifier: string): string | null {
  if (specifier === 'vscode') {
    return from === 'extension' ? null : 'only extension/ may import vscode';
  }
  if (!specifier.startsWith('.')) return null;
  const target = posix.join(posix.dirname(path), specifier);
  const to = layerOf(target);
  if (to === null) return `imports ${target}, which stands in no layer`;
  if (from === null || from === to) return null;
  if (from === 'extension') {
    const open = OPEN_TO_EXTENSION.some((one) => target === one || target.startsWith(`${one}/`));
    return open ? null : `imports ${target}; extension/ may import ${OPEN_TO_EXTENSION.join(', ')} only`;
  }
  if (from === WORDS) return `imports ${target}; ${WORDS} imports nothing`;
  if (to === WORDS) return null;
  return LAYERS.indexOf(to) > LAYERS.indexOf(from) ? null : `imports ${target}: ${to} is above ${from}`;
}

function layerOf(path: string): string | null {
  return [...LAYERS, WORDS].find((layer) => path === layer || path.startsWith(`${layer}/`)) ?? null;
}
