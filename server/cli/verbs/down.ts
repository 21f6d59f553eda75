import { hasSurvivors, proofLines } from '../proof.ts';
import { takeDown } from '../takeDown.ts';
import { Exit, type Verb } from '../verb.ts';
import { type Attached, fail, withSupervisor } from '../withSupervisor.ts';

export const down: Verb = {
  name: 'down',
  summary: 'stop everything, proven',
  usage: '',
  description:
    'Stops every service, task and command of the workspace, in reverse order of dependency, and ends the supervisor. It returns when every process tree was found empty twice, and prints the proof. If a supervisor was killed and left trees running, a new one is started to end them. Exit code 1 when something survived, which is then listed with its pid and the reason. With nothing running it does nothing and exits 0.',
  positionals: { least: 0, most: 0 },
  options: [],
  examples: [{ command: 'coppice down', effect: 'prints "Nothing is left: 4 trees, 23 processes confirmed gone."' }],
  async run(context) {
    const nothing = (): number => {
      if (context.json) context.terminal.print(JSON.stringify({ trees: [] }, null, 2));
      else context.terminal.print('Nothing is left: nothing was running.');
      return Exit.done;
    };
    // The answer of a supervisor that ends for somebody else's `down` at this moment may not come any more; whether
    // anything is left is then asked anew, of its successor if it left trees.
    let again = false;
    const end = async ({ client }: Attached): Promise<number> => {
      const answer = await takeDown(context, client);
      if (!answer.ok) {
        if (answer.failure.reason !== 'ended' || again) return fail(context, answer.failure);
        again = true;
        return Exit.failed;
      }
      const { trees } = answer.value;
      if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
      else for (const line of proofLines(trees)) context.terminal.print(line);
      return hasSurvivors(trees) ? Exit.failed : Exit.done;
    };
    const code = await withSupervisor(context, { mode: 'resume', without: nothing }, end);
    return again ? withSupervisor(context, { mode: 'resume', without: nothing }, end) : code;
  },
};
