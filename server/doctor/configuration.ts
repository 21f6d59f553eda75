import { diagnosticText } from '../config/format.ts';
import type { ConfigDiagnostic } from '../config/model.ts';
import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { Finding } from './types.ts';

const MOST = 10;

/** Can the configuration be used as it is now? While a supervisor runs, the one in force goes on. */
export function checkConfiguration({ config, holder }: DoctorFacts): Finding[] {
  if (config === null) return [];
  if (config.ok) {
    const { warnings } = config;
    return [
      ...warnings.slice(0, MOST).map((one) => finding('warn', place(one), null)),
      ...rest('warn', warnings.length, 'warning'),
    ];
  }
  const held = holder === 'alive';
  const fix = held
    ? `what runs goes on with the one before; mend it, and ${quotes('coppice reload')} applies it`
    : `${quotes('coppice up')} starts nothing until it is mended`;
  const errors = config.diagnostics.filter((one) => one.severity === 'error');
  const shown = [
    ...errors.slice(0, MOST).map((one) => finding('error', place(one), null)),
    ...rest('error', errors.length, 'error'),
  ];
  // Once, below them all.
  return shown.map((one, index) => (index === shown.length - 1 ? { ...one, fix } : one));
}

function rest(level: Finding['level'], total: number, word: string): Finding[] {
  const more = total - MOST;
  return more <= 0 ? [] : [finding(level, `and ${more} more ${word}${more === 1 ? '' : 's'}`, null)];
}

/** Without the line itself, which may hold a secret. */
function place(one: ConfigDiagnostic): string {
  return `${one.file}:${one.line}:${one.column}: ${diagnosticText(one)}`;
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'configuration', level, message, fix };
}
