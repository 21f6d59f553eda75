import type { DoctorReport, Finding } from '../../doctor/types.ts';
import { formatDuration } from '../../text/units.ts';
import { openWorkspace } from '../link.ts';
import { count } from '../proof.ts';
import type { Terminal } from '../terminal.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { oneLine } from '../width.ts';
import { fail } from '../withSupervisor.ts';

export const doctor: Verb = {
  name: 'doctor',
  summary: 'check that all is as it should be',
  usage: '',
  description: [
    'Compares what is recorded with what is: one supervisor and its heartbeat, recorded trees against the process table, processes that Coppice started and nobody owns (orphans), members that left their session, ports, the environment that children get, and restart budgets. Every finding comes with its evidence and with what to do.',
    'It works with the supervisor down, changes nothing, and sends no signal. Exit code 1 when a finding is an error.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [
    { long: 'fix', description: 'not there yet: each finding names the command that mends it' },
    { long: 'drill', description: 'not there yet' },
  ],
  examples: [
    { command: 'coppice doctor', effect: 'a checklist' },
    { command: 'coppice doctor --json | jq .findings', effect: 'for programs' },
  ],
  async run(context, { options }) {
    const missing = ['fix', 'drill'].find((one) => options.has(one));
    if (missing !== undefined) {
      context.terminal.say(
        `coppice: doctor --${missing} is not there yet; without it, each finding names the command that mends it`,
      );
      return Exit.usage;
    }
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const [{ gatherFacts }, { diagnose }] = await Promise.all([
      import('../../doctor/gather.ts'),
      import('../../doctor/doctor.ts'),
    ]);
    const report = diagnose(await gatherFacts(opened.workspace, context.environment));
    context.terminal.print(context.json ? JSON.stringify(report, null, 2) : checklist(report, context).join('\n'));
    return report.ok ? Exit.done : Exit.failed;
  },
};

function checklist(report: DoctorReport, { terminal }: Context): string[] {
  const { supervisors, heartbeat, environment } = report;
  const live = report.processes.filter((one) => one.status === 'running').length;
  const beat =
    heartbeat.ageMs === null ? heartbeat.verdict : `${heartbeat.verdict}, ${formatDuration(heartbeat.ageMs)} old`;
  const rows: readonly (readonly [Finding['check'], string])[] = [
    ['workspace', `${report.workspace.root}${report.workspace.id === null ? ' (never brought up)' : ''}`],
    [
      'supervisors',
      supervisors.count === 0
        ? 'none runs'
        : `${supervisors.count}${supervisors.holder === null ? '' : ` (pid ${supervisors.holder.pid})`}`,
    ],
    ['heartbeat', beat],
    [
      'processes',
      report.processes.length === 0
        ? 'none recorded'
        : `${live} of ${count(report.processes.length, 'recorded tree')} running`,
    ],
    ['orphans', report.orphans.length === 0 ? 'none' : count(report.orphans.length, 'process', 'processes')],
    [
      'escaped',
      report.escaped.length === 0 ? 'none' : `${count(report.escaped.length, 'process', 'processes')}, still in hand`,
    ],
    [
      'ports',
      report.ports.length === 0
        ? 'none reserved'
        : report.ports.map((one) => `${one.port} ${one.name} ${one.status}`).join(', '),
    ],
    ['environment', environment.clean ? 'children see a clean one' : 'a child was given what it should not see'],
    [
      'budgets',
      report.budgets.length === 0
        ? 'none used'
        : report.budgets.map((one) => `${one.name} ${one.budget} ${one.used}`).join(', '),
    ],
  ];
  const lines = rows.flatMap(([check, text]) => {
    const findings = report.findings.filter((one) => one.check === check);
    return [
      `${mark(findings, terminal)} ${check.padEnd(11)}  ${oneLine(text)}`,
      ...findings.flatMap((one) => findingLines(one, terminal)),
    ];
  });
  const errors = report.findings.filter((one) => one.level === 'error').length;
  const warnings = report.findings.filter((one) => one.level === 'warn').length;
  const sum =
    errors + warnings === 0 ? 'All is as it should be.' : `${count(errors, 'error')}, ${count(warnings, 'warning')}.`;
  return [...lines, '', sum];
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
