import { hasSurvivors, proofLines } from '../proof.ts';
import { takeDown } from '../takeDown.ts';
import { Exit, type Verb } from '../verb.ts';
import { fail, withSupervisor } from '../withSupervisor.ts';

export const down: Verb = {
  name: 'down',
  summary: 'stop everything, proven',
  usage: '',
  description:
    'Stops every service, task and command of the workspace, in reverse order of dependency, and ends the supervisor. It returns when every process tree was found empty twice, and prints the proof. If a supervisor was killed and left trees running, a new one is started to end them. Exit code 1 when something survived, which is then listed with its pid and the reason. With nothing running it does nothing and exits 0.',
  positionals: { least: 0, most: 0 },
  options: [],
  examples: [{ command: 'coppice down', effect: 'prints "Nothing is left: 4 trees, 23 processes confirmed gone."' }],
  run(context) {
    const nothing = (): number => {
      if (context.json) context.terminal.print(JSON.stringify({ trees: [] }, null, 2));
      else context.terminal.print('Nothing is left: nothing was running.');
      return Exit.done;
    };
    return withSupervisor(context, { mode: 'resume', without: nothing }, async ({ client }) => {
      const answer = await takeDown(context, client);
      if (!answer.ok) return fail(context, answer.failure);
      const { trees } = answer.value;
      if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
      else for (const line of proofLines(trees)) context.terminal.print(line);
      return hasSurvivors(trees) ? Exit.failed : Exit.done;
    });
  },
};
