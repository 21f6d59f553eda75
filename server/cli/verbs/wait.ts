import { closest } from '../../text/suggest.ts';
import { unknownName } from '../messages.ts';
import { readDurationOption } from '../optionValues.ts';
import { stateLine } from '../table.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { type Attached, fail, withSupervisor } from '../withSupervisor.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export const wait: Verb = {
  name: 'wait',
  summary: 'wait until a service is ready',
  usage: '<name>',
  description: [
    'Waits until a service is ready, or with `--for exit` until nothing of it runs any more. Ready means that the process of the current incarnation answered its probe, not that some process holds the port.',
    'Exit code 0 when it came to that, 1 when the service ended up in another state (failed, stopped, completed) or the time was over.',
  ].join('\n'),
  positionals: { least: 1, most: 1 },
  options: [
    { long: 'for', value: 'ready|exit', description: 'what to wait for (ready)' },
    {
      long: 'timeout',
      value: 'duration',
      description: 'how long at the most, such as 30s or 2m; 0 waits for ever (30s)',
    },
  ],
  examples: [{ command: 'coppice wait web --timeout 1m && npm run e2e', effect: 'runs the tests once web answers' }],
  async run(context, { positionals, options }) {
    const goal = options.get('for') ?? 'ready';
    if (goal !== 'ready' && goal !== 'exit') {
      context.terminal.say(`coppice: --for: expected "ready" or "exit", found "${goal}"`);
      return Exit.usage;
    }
    const timeout = readDurationOption(context, options, 'timeout', DEFAULT_TIMEOUT_MS);
    if (timeout === null) return Exit.usage;
    const name = positionals[0] ?? '';
    return withSupervisor(context, { mode: 'join' }, (attached) => waitFor(context, attached, name, goal, timeout));
  },
};

async function waitFor(
  context: Context,
  attached: Attached,
  name: string,
  goal: 'ready' | 'exit',
  timeout: number,
): Promise<number> {
  const { client } = attached;
  const timeoutMs = timeout === 0 ? null : timeout;
  // The supervisor keeps the time; the margin is for its answer.
  const limit = timeoutMs === null ? null : timeoutMs + 5000;
  const answer = await client.request('wait', { name, for: goal, timeoutMs }, { timeoutMs: limit });
  if (!answer.ok) return fail(context, answer.failure);
  const { outcome, message, service } = answer.value;
  if (outcome === 'unknown_name') {
    const status = await client.request('status', {});
    const known = status.ok ? status.value.services.map((one) => one.name) : [];
    context.terminal.say(`coppice: ${unknownName(name, closest(name, known), known)}`);
    return Exit.usage;
  }
  if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
  else if (outcome === 'reached') context.terminal.print(service === null ? message : stateLine(service));
  else
    context.terminal.say(
      `coppice: ${message}${outcome === 'timeout' ? `; \`coppice logs ${name}\` shows its output` : ''}`,
    );
  return outcome === 'reached' ? Exit.done : Exit.failed;
}
