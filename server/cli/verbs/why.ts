import { tailLines } from '../../process/output/index.ts';
import { closest } from '../../text/suggest.ts';
import { openWorkspace } from '../link.ts';
import { readCountOption } from '../optionValues.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { explain } from '../why/explain.ts';
import { gatherWhy } from '../why/gather.ts';
import { whyLines } from '../why/render.ts';
import type { Answer, WhyFacts } from '../why/types.ts';
import { oneLine } from '../width.ts';
import { fail } from '../withSupervisor.ts';

const DEFAULT_LINKS = 20;
const LAST_LINES = 10;

export const why: Verb = {
  name: 'why',
  summary: 'explain why something is as it is',
  usage: '<name>',
  description: [
    'Explains a service, a task or a command of `exec`: its state in one line, then what led to it, each cause before what it brought about, the budgets that are used, the last lines of its output where something went wrong, and what to do. What it waits for is explained as well.',
    'It is told from the journal and the other files of the workspace, so it works when the supervisor is down or does not answer, and says so then. What happened several times in the same way is told once, with its number.',
    'The exit code is 0 whatever the state is; 64 for a name that is not known.',
  ].join('\n'),
  positionals: { least: 1, most: 1 },
  options: [{ long: 'lines', short: 'n', value: 'count', description: 'at most so many events (20)' }],
  examples: [
    { command: 'coppice why web', effect: 'why web is as it is' },
    { command: `coppice why web --json | jq -r '.advice[].command // empty'`, effect: 'what to type, for programs' },
  ],
  async run(context, { positionals, options }) {
    const limit = readCountOption(context, options, 'lines', DEFAULT_LINKS);
    if (limit === null) return Exit.usage;
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const facts = await gatherWhy(opened.workspace);
    const names = knownNames(facts);
    const name = chooseName(context, positionals[0] ?? '', names, facts.configurationError);
    if (name === null) return Exit.usage;
    const answer = await withOutput(explain(name, facts, { limit: Math.max(1, limit) }));
    if (context.json) {
      context.terminal.print(JSON.stringify(answer, null, 2));
      return Exit.done;
    }
    const { colours, columns } = context.terminal;
    for (const line of whyLines(answer, { colours, columns, now: facts.now })) context.terminal.print(`${line}\n`);
    return Exit.done;
  },
};

/** Everything that was ever told of by name, configured or not. */
function knownNames(facts: WhyFacts): readonly string[] {
  const told = facts.events.flatMap(({ name }) => (typeof name === 'string' ? name : []));
  const recorded = facts.trees.map(({ record }) => record.name);
  const configured = [...facts.services.keys(), ...facts.taskConfigs.keys()];
  return [...new Set([...configured, ...facts.statuses.keys(), ...facts.tasks.keys(), ...recorded, ...told])];
}

/** `null`: it is unknown, which was said. A command of `exec` may be called by its number alone. */
function chooseName(
  context: Context,
  given: string,
  names: readonly string[],
  configurationError: string | null,
): string | null {
  const found = [given, `exec-${given}`].find((one) => names.includes(one));
  if (found !== undefined) return found;
  const near = closest(given, names);
  const guess = near === null ? '' : `; did you mean ${oneLine(near)}?`;
  const known = names.filter((one) => !one.startsWith('exec-')).map(oneLine);
  const nothing =
    configurationError === null
      ? 'Nothing is configured here, and nothing has run.'
      : `The configuration cannot be used as it is (${oneLine(configurationError)}), and nothing has run.`;
  const list = known.length === 0 ? nothing : `There are: ${known.join(', ')}.`;
  context.terminal.say(`coppice: nothing is known of ${oneLine(given)}${guess}\n${list}`);
  return null;
}

async function withOutput(answer: Answer): Promise<Answer> {
  const because = await Promise.all(answer.because.map(withOutput));
  const { output } = answer;
  if (output === null) return { ...answer, because };
  const lines = await tailLines(output.log, LAST_LINES, { fromOffset: output.fromOffset }).catch(() => []);
  return { ...answer, because, output: { ...output, lines } };
}
