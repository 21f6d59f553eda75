import { askSupervisor } from '../doctor/ask.ts';
import { checklist } from '../doctor/checklist.ts';
import { drill } from '../doctor/drill.ts';
import { openWorkspace } from '../link.ts';
import { Exit, type Verb } from '../verb.ts';
import { fail } from '../withSupervisor.ts';

export const doctor: Verb = {
  name: 'doctor',
  summary: 'check that all is as it should be',
  usage: '',
  description: [
    'Compares what is recorded with what is: one supervisor, its lock, heartbeat and answer, recorded trees against the process table, processes that Coppice started and nobody owns (orphans), members that left their session, ports, the environment that children get, restart budgets, the state directory, and traps of file systems and of this machine. Every finding comes with its evidence and with what to do.',
    'It works with the supervisor down or wedged, changes nothing, and sends no signal. Exit code 1 when a finding is an error.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [
    { long: 'fix', description: 'not there yet: each finding names the command that mends it' },
    {
      long: 'drill',
      description:
        'break things on purpose in scratch folders, with supervisors of their own, and say which guarantees hold here',
    },
  ],
  examples: [
    { command: 'coppice doctor', effect: 'a checklist' },
    { command: 'coppice doctor --drill', effect: 'kills supervisors of its own and sees what survives' },
    { command: 'coppice doctor --json | jq .findings', effect: 'for programs' },
  ],
  async run(context, { options }) {
    if (options.has('fix')) {
      context.terminal.say(
        'coppice: doctor --fix is not there yet; without it, each finding names the command that mends it',
      );
      return Exit.usage;
    }
    if (options.has('drill')) return drill(context);
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const [{ gatherFacts }, { diagnose }] = await Promise.all([
      import('../../doctor/gather.ts'),
      import('../../doctor/doctor.ts'),
    ]);
    const { environment, terminal } = context;
    const report = diagnose(await gatherFacts(opened.workspace, { environment, ask: askSupervisor }));
    terminal.print(context.json ? JSON.stringify(report, null, 2) : checklist(report, terminal).join('\n'));
    return report.ok ? Exit.done : Exit.failed;
  },
};
