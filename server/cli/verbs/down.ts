import { hasSurvivors, proofLines, withEarlier } from '../proof.ts';
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
    // A supervisor that ends for somebody else's `down` at this moment may not answer any more; if anything is left, that
    // is asked for anew, of a successor.
    let again = false;
    const end = async (attached: Attached): Promise<number> => {
      const done = await takeDown(context, attached);
      if (!done.ok) {
        if (done.failure.reason !== 'ended' || again) return fail(context, done.failure);
        again = true;
        return Exit.failed;
      }
      const { earlier, value } = done;
      if (context.json) context.terminal.print(JSON.stringify(withEarlier(value, earlier), null, 2));
      else for (const line of proofLines(value.trees, earlier)) context.terminal.print(line);
      return hasSurvivors(value.trees) ? Exit.failed : Exit.done;
    };
    const code = await withSupervisor(context, { mode: 'resume', without: nothing }, end);
    return again ? withSupervisor(context, { mode: 'resume', without: nothing }, end) : code;
  },
};
