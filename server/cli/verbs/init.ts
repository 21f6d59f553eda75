import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findConfigFile } from '../../config/find.ts';
import { count } from '../proof.ts';
import { type Context, Exit, type Verb } from '../verb.ts';

export const init: Verb = {
  name: 'init',
  summary: 'write a configuration',
  usage: '',
  description:
    'Looks at what the folder has (npm scripts and a Procfile) and writes a coppice.yaml from it, with comments, to go on from. Nothing is run, and no file but coppice.yaml is written. A configuration that is there is left alone, unless --force is given.',
  positionals: { least: 0, most: 0 },
  options: [
    { long: 'force', description: 'replace a coppice.yaml that is there' },
    { long: 'print', description: 'print it instead of writing it' },
  ],
  examples: [
    { command: 'coppice init && coppice up', effect: 'from a folder to a running workspace' },
    { command: 'coppice init --print', effect: 'only shows what would be written' },
  ],
  async run(context, { options }) {
    const { terminal } = context;
    const target = join(context.cwd, 'coppice.yaml');
    const obstacle = options.has('print') ? null : obstacleTo(context.cwd, target, options.has('force'));
    if (obstacle !== null) {
      terminal.say(`coppice: ${obstacle}`);
      return Exit.failed;
    }
    const { detectEntries, renderConfiguration } = await loadDetection();
    const found = await detectEntries(context.cwd);
    const text = renderConfiguration(found);
    if (context.json) {
      terminal.print(JSON.stringify({ file: options.has('print') ? null : target, ...found, text }, null, 2));
    } else if (options.has('print')) {
      terminal.print(text);
    }
    if (!options.has('print') && !write(context, target, text)) return Exit.failed;
    if (!context.json && !options.has('print')) say(context, target, found);
    return Exit.done;
  },
};

async function loadDetection() {
  const [{ detectEntries }, { renderConfiguration }] = await Promise.all([
    import('../../config/detect/detect.ts'),
    import('../../config/detect/render.ts'),
  ]);
  return { detectEntries, renderConfiguration };
}

/** What stands in the way of writing, in words. */
function obstacleTo(folder: string, target: string, force: boolean): string | null {
  const found = findConfigFile(folder);
  const files = found.kind === 'none' ? [] : found.kind === 'one' ? [found.file] : found.files;
  const other = files.find((file) => file !== target);
  if (other !== undefined) return `${other} is there already; a workspace has one configuration`;
  if (files.length > 0 && !force)
    return `${target} is there already; \`coppice init --force\` replaces it, --print only shows`;
  // Through a link, somebody else's choice of file would be overwritten.
  if (lstatSync(target, { throwIfNoEntry: false })?.isFile() === false) return `${target} is not a regular file`;
  return null;
}

function write(context: Context, target: string, text: string): boolean {
  try {
    writeFileSync(target, text);
    return true;
  } catch (error) {
    context.terminal.say(`coppice: cannot write ${target}: ${(error as NodeJS.ErrnoException).message}`);
    return false;
  }
}

function say(
  context: Context,
  target: string,
  found: Awaited<ReturnType<Awaited<ReturnType<typeof loadDetection>>['detectEntries']>>,
): void {
  const { terminal } = context;
  for (const { file, message } of found.problems) terminal.say(`${file}: ${message}`);
  const services = found.entries.filter((entry) => entry.type === 'service').length;
  const tasks = found.entries.length - services;
  terminal.print(`Wrote ${target}: ${count(services, 'service')}, ${count(tasks, 'task')}.`);
  terminal.print(
    services > 0
      ? 'Look through it; then `coppice up` brings it up.'
      : 'Nothing that runs until it is stopped was found; the file says how a service is written.',
  );
}
