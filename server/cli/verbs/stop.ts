import { outcome } from '../../service/outcome.ts';
import { closest } from '../../text/suggest.ts';
import type { Workspace } from '../link.ts';
import { unknownName } from '../messages.ts';
import { offlineStatus } from '../offline.ts';
import { requestNames } from '../outcomes.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { withSupervisor } from '../withSupervisor.ts';

export const stop: Verb = {
  name: 'stop',
  summary: 'stop services, proven',
  usage: '<name...>',
  description: [
    'Stops services: the stop signal to the whole process tree, SIGKILL to what is left when stopTimeout is over. It returns when two scans in a row found the tree empty, and prints how many processes were confirmed gone. Whatever could not be ended is listed with its pid and the reason, and the exit code is 1.',
    'Services that depend on a named one are not stopped with it. `coppice down` stops everything.',
  ].join('\n'),
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  options: [],
  examples: [{ command: 'coppice stop web', effect: 'stops web and proves that nothing of it is left' }],
  run: (context, { positionals }) =>
    withSupervisor(
      context,
      { mode: 'resume', without: (workspace) => notRunning(context, workspace, positionals) },
      (attached) => requestNames(context, attached, 'stop', positionals),
    ),
};

/** Without a supervisor nothing runs; a name that nobody knows is still wrong. */
async function notRunning(context: Context, workspace: Workspace, names: readonly string[]): Promise<number> {
  const status = await offlineStatus(workspace);
  const known = status.services.map((one) => one.name);
  const unknown = known.length === 0 ? undefined : names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    context.terminal.say(`coppice: ${unknownName(unknown, closest(unknown, known), known)}`);
    return Exit.usage;
  }
  const outcomes = names.map((name) => outcome(name, 'not_running'));
  if (context.json) context.terminal.print(JSON.stringify({ outcomes }, null, 2));
  else for (const one of outcomes) context.terminal.print(one.message);
  return Exit.done;
}
