import type { ReloadResult } from '../../api/protocol.ts';
import { diagnosticLines } from '../diagnostics.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail, patientRequest, withSupervisor } from '../withSupervisor.ts';

export const reload: Verb = {
  name: 'reload',
  summary: 'read the configuration again',
  usage: '',
  description:
    'Has the supervisor read coppice.yaml again and apply what changed, to what it concerns and to nothing else: entries that did not change are not touched. With an error in the file the old configuration stays in force, and the exit code is 78. A saved change is applied without being asked, too; this verb waits until it is, and says what it did.',
  positionals: { least: 0, most: 0 },
  options: [],
  examples: [{ command: 'coppice reload', effect: 'names what was added, removed and changed' }],
  run: (context) =>
    withSupervisor(context, { mode: 'join' }, async ({ client }) => {
      const answer = await patientRequest(context, client, 'reload', {});
      if (!answer.ok) return fail(context, answer.failure);
      if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
      else await say(context, answer.value);
      return answer.value.ok ? Exit.done : Exit.configuration;
    }),
};

async function say(context: Context, result: ReloadResult): Promise<void> {
  const { terminal } = context;
  for (const line of await diagnosticLines(result.diagnostics, terminal)) terminal.say(line);
  if (!result.ok) {
    terminal.say('coppice: the old configuration stays in force');
    return;
  }
  const parts = [
    ['added', result.added],
    ['removed', result.removed],
    ['changed', result.changed],
  ] as const;
  const told = parts.filter(([, names]) => names.length > 0);
  if (told.length === 0) terminal.print('Nothing changed.');
  for (const [word, names] of told) terminal.print(`${word}: ${names.join(', ')}`);
}
