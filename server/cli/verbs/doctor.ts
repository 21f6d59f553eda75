import { checklist, fixLines } from '../doctor/checklist.ts';
import { drill } from '../doctor/drill.ts';
import { examine } from '../doctor/examine.ts';
import { Exit, type Verb } from '../verb.ts';
import { fail } from '../withSupervisor.ts';

export const doctor: Verb = {
  name: 'doctor',
  summary: 'check that all is as it should be',
  usage: '',
  description: [
    'Compares what is recorded with what is: one supervisor, its lock, heartbeat and answer, recorded trees against the process table, processes that Coppice started and nobody owns (orphans), members that left their session, ports, the environment that children get, restart budgets, the state directory, and traps of file systems and of this machine. Every finding comes with its evidence and with what to do.',
    'It works with the supervisor down or wedged, and changes nothing and sends no signal unless `--fix` is given. Exit code 1 when a finding is an error.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [
    {
      long: 'fix',
      description:
        'mend what can be mended safely, say each thing, and look again: starts nothing, ends nothing that a supervisor could adopt, removes no evidence',
    },
    {
      long: 'drill',
      description:
        'break things on purpose in scratch folders, with supervisors of their own, and say which guarantees hold here',
    },
  ],
  examples: [
    { command: 'coppice doctor', effect: 'a checklist' },
    {
      command: 'coppice doctor --fix',
      effect: 'wakes a stopped supervisor, ends leftovers, closes what others can read',
    },
    { command: 'coppice doctor --drill', effect: 'kills supervisors of its own and sees what survives' },
    { command: 'coppice doctor --json | jq .findings', effect: 'for programs' },
  ],
  async run(context, { options }) {
    if (options.has('drill') && options.has('fix')) {
      context.terminal.say(
        'coppice: --drill looks at scratch folders and mends nothing; call them one after the other',
      );
      return Exit.usage;
    }
    if (options.has('drill')) return drill(context);
    const examined = await examine(context, options.has('fix'));
    if (!examined.ok) return fail(context, { reason: 'workspace', detail: examined.detail });
    const { report, fixes } = examined;
    const { json, terminal } = context;
    if (json) terminal.print(JSON.stringify(fixes === null ? report : { ...report, fixes }, null, 2));
    else
      terminal.print([...(fixes === null ? [] : fixLines(fixes, terminal)), ...checklist(report, terminal)].join('\n'));
    return report.ok ? Exit.done : Exit.failed;
  },
};
