import { hasSurvivors, proofLines } from '../proof.ts';
import { Exit, type Verb } from '../verb.ts';
import { fail, requestEnd, withSupervisor } from '../withSupervisor.ts';

export const reap: Verb = {
  name: 'reap',
  summary: "end a session's processes",
  usage: '--session <session>',
  description:
    'Ends everything that belongs to a session: services and commands that were started with `--session`, each with its whole process tree, and proves that nothing of it is left. Meant for the end of an editor window, a CI job or an agent. What belongs to the configuration or to another session is not touched. A session that owns nothing is no error.',
  positionals: { least: 0, most: 0 },
  options: [{ long: 'session', value: 'session', description: 'the session to end' }],
  examples: [
    { command: 'coppice reap --session ci-42', effect: 'ends what `coppice exec --session ci-42` left running' },
  ],
  async run(context, { options }) {
    const session = options.get('session');
    if (typeof session !== 'string' || session === '') {
      context.terminal.say('coppice: reap needs --session <session>\n`coppice reap --help` explains it.');
      return Exit.usage;
    }
    const nothing = (): number => {
      if (context.json) context.terminal.print(JSON.stringify({ session, trees: [] }, null, 2));
      else context.terminal.print('Nothing is left: nothing was running.');
      return Exit.done;
    };
    return withSupervisor(context, { mode: 'resume', without: nothing }, async (attached) => {
      const { answer } = await requestEnd(context, attached, 'reap', { session });
      if (!answer.ok) return fail(context, answer.failure);
      if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
      else for (const line of proofLines(answer.value.trees)) context.terminal.print(line);
      return hasSurvivors(answer.value.trees) ? Exit.failed : Exit.done;
    });
  },
};
