import { formatDiagnostic } from '../config/format.ts';
import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { Finding } from './types.ts';

const MOST = 10;

/** Can the configuration be used as it is now? While a supervisor runs, the one in force goes on. */
export function checkConfiguration({ config, holder }: DoctorFacts): Finding[] {
  if (config === null) return [];
  if (config.ok) {
    return config.warnings.slice(0, MOST).map((one) => finding('warn', place(one), one.suggestion));
  }
  const held = holder === 'alive';
  const fix = held
    ? `what runs goes on with the one before; mend it, and ${quotes('coppice reload')} applies it`
    : `${quotes('coppice up')} starts nothing until it is mended`;
  return config.diagnostics
    .filter((one) => one.severity === 'error')
    .slice(0, MOST)
    .map((one) => finding('error', place(one), fix));
}

/** `file:line:column: message`, without the line itself, which may hold a secret. */
function place(one: Parameters<typeof formatDiagnostic>[0]): string {
  return formatDiagnostic(one).split('\n')[0] ?? one.message;
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'configuration', level, message, fix };
}
