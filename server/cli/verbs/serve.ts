import { readConfiguration } from '../configuration.ts';
import { openWorkspace } from '../link.ts';
import { describeHolder } from '../messages.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail } from '../withSupervisor.ts';
import { holderOf, type Workspace } from '../workspace.ts';

export const serve: Verb = {
  name: 'serve',
  summary: 'be the supervisor, in the foreground',
  usage: '',
  description: [
    'Is the supervisor of this workspace itself, in this process, until SIGTERM or Ctrl-C: for containers, service managers and for looking on. It starts no service by itself; `coppice up` in another terminal does.',
    'A workspace has one supervisor. When another holds it, the exit code is 2 and the holder is named; nothing was started or changed.',
  ].join('\n'),
  positionals: { least: 0, most: 0 },
  options: [],
  examples: [{ command: 'coppice serve', effect: 'in a container: `coppice serve & coppice up --detach`' }],
  async run(context) {
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const { workspace } = opened;
    if (await sayHolder(context, workspace)) return Exit.held;
    if ((await readConfiguration(context, workspace.root)) === null) return Exit.configuration;
    const { runSupervisor } = await import('../../life/run.ts');
    const code = await runSupervisor({ root: workspace.root, foreground: true });
    if (code === Exit.held) await sayHolder(context, workspace);
    return code;
  },
};

/** `true` when somebody holds the workspace, who was named. */
async function sayHolder(context: Context, workspace: Workspace): Promise<boolean> {
  const holder = await holderOf(workspace);
  if (holder === null || holder.pid === process.pid) return false;
  context.terminal.say(`coppice: ${describeHolder(holder)} holds this workspace; \`coppice ps\` shows what it runs`);
  return true;
}
