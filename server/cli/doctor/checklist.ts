import type { FixOutcome } from '../../doctor/fix/types.ts';
import type { DoctorReport, Finding } from '../../doctor/types.ts';
import { formatDuration } from '../../text/units.ts';
import { count } from '../proof.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../width.ts';

/** What a person reads: a line a check, below it what was found with what to do. */
export function checklist(report: DoctorReport, terminal: Terminal): string[] {
  const lines = rowsOf(report).flatMap(([check, text]) => {
    const findings = report.findings.filter((one) => one.check === check);
    // These have something to say only when something is to be said.
    if (findings.length === 0 && text === null) return [];
    return [
      `${mark(findings, terminal)} ${check.padEnd(13)}  ${oneLine(text ?? sum(findings))}`,
      ...findings.flatMap((one) => findingLines(one, terminal)),
    ];
  });
  const errors = report.findings.filter((one) => one.level === 'error').length;
  const warnings = report.findings.filter((one) => one.level === 'warn').length;
  const total =
    errors + warnings === 0 ? 'All is as it should be.' : `${count(errors, 'error')}, ${count(warnings, 'warning')}.`;
  return [...lines, '', total];
}

/** What `--fix` did. */
export function fixLines(fixes: readonly FixOutcome[], terminal: Terminal): string[] {
  if (fixes.length === 0) return ['Nothing to mend.', ''];
  const lines = fixes.map(({ check, done, message }) => {
    const word = done ? terminal.paint('green', 'mended') : terminal.paint('yellow', 'left alone');
    return `${word}  ${check}: ${oneLine(message)}`;
  });
  return [...lines, ''];
}

function rowsOf(report: DoctorReport): readonly (readonly [Finding['check'], string | null])[] {
  const { supervisors, heartbeat, guardian, environment, processes, orphans, escaped, ports, budgets } = report;
  const live = processes.filter((one) => one.status === 'running').length;
  const beat =
    heartbeat.ageMs === null ? heartbeat.verdict : `${heartbeat.verdict}, ${formatDuration(heartbeat.ageMs)} old`;
  const holder = supervisors.holder === null ? '' : ` (pid ${supervisors.holder.pid}, ${supervisors.holder.state})`;
  return [
    ['workspace', `${report.workspace.root}${report.workspace.id === null ? ' (never brought up)' : ''}`],
    ['configuration', brokenConfiguration(report)],
    ['supervisors', supervisors.count === 0 ? 'none runs' : `${supervisors.count}${holder}`],
    ['lock', null],
    ['heartbeat', beat],
    ['guardian', guardian.status === 'none' ? null : guardian.status.replace('_', ' ')],
    ['state', null],
    [
      'processes',
      processes.length === 0 ? 'none recorded' : `${live} of ${count(processes.length, 'recorded tree')} running`,
    ],
    ['orphans', orphans.length === 0 ? 'none' : count(orphans.length, 'process', 'processes')],
    ['escaped', escaped.length === 0 ? 'none' : `${count(escaped.length, 'process', 'processes')}, still in hand`],
    [
      'ports',
      ports.length === 0 ? 'none wanted' : ports.map((one) => `${one.port} ${one.name} ${one.status}`).join(', '),
    ],
    ['environment', environment.clean ? 'children see a clean one' : 'a child was given what it should not see'],
    [
      'budgets',
      budgets.length === 0
        ? 'none used'
        : budgets.map((one) => `${one.name} ${one.budget} ${one.used} of ${one.limit}`).join(', '),
    ],
    ['services', null],
    ['filesystem', null],
    ['machine', null],
  ];
}

/** Its errors are not counted by their findings: of many only the first are shown. */
function brokenConfiguration({ findings }: DoctorReport): string | null {
  return findings.some((one) => one.check === 'configuration' && one.level === 'error')
    ? 'cannot be used as it is'
    : null;
}

function sum(findings: readonly Finding[]): string {
  const errors = findings.filter((one) => one.level === 'error').length;
  const warnings = findings.filter((one) => one.level === 'warn').length;
  const parts = [
    ...(errors > 0 ? [count(errors, 'error')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ];
  return parts.length === 0 ? 'nothing wrong' : parts.join(', ');
}

function findingLines({ level, message, fix }: Finding, terminal: Terminal): string[] {
  const word =
    level === 'info'
      ? terminal.paint('dim', 'info:')
      : level === 'warn'
        ? terminal.paint('yellow', 'warning:')
        : terminal.paint('red', 'error:');
  return [`    ${word} ${oneLine(message)}`, ...(fix === null ? [] : [`      ${oneLine(fix)}`])];
}

/** The word of each finding stands below, so that shape and colour are not all there is. */
function mark(findings: readonly Finding[], terminal: Terminal): string {
  if (findings.some((one) => one.level === 'error')) return terminal.paint('red', '✗');
  if (findings.some((one) => one.level === 'warn')) return terminal.paint('yellow', '!');
  return terminal.paint('green', '✓');
}
