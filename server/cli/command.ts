/** One call of the command: words in, exit code out. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { closest } from '../text/suggest.ts';
import { version } from '../text/version.ts';
import { generalHelp, verbHelp } from './help.ts';
import { GLOBAL_OPTIONS, parseOptions } from './options.ts';
import type { Terminal } from './terminal.ts';
import { type Context, Exit, type Invocation, type Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

export interface CommandCall {
  /** What follows `coppice`. */
  readonly words: readonly string[];
  readonly cwd: string;
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
}

export async function runCommand(call: CommandCall): Promise<number> {
  const { terminal } = call;
  const before = parseOptions(call.words, [...GLOBAL_OPTIONS, VERSION_OPTION], 'first-positional');
  if (!before.ok) return usage(terminal, before.message, null);
  const [name, ...rest] = before.invocation.positionals;
  if (before.invocation.options.has('version')) {
    terminal.print(version());
    return Exit.done;
  }
  if (name === undefined) {
    terminal.print(generalHelp(VERBS, terminal));
    return Exit.done;
  }
  if (name === 'help') return runCommand({ ...call, words: [...rest.slice(0, 1), '--help'] });
  const entry = VERBS.find((one) => one.name === name);
  if (entry === undefined) {
    const near = closest(
      name,
      VERBS.map((one) => one.name),
    );
    return usage(terminal, `unknown verb "${name}"${near === null ? '' : `; did you mean \`coppice ${near}\`?`}`, null);
  }
  const verb = await entry.load();
  const parsed = parseOptions(
    rest,
    [...GLOBAL_OPTIONS, ...verb.options],
    verb.passthrough ? 'first-positional' : 'end',
  );
  const options = new Map([...before.invocation.options, ...(parsed.ok ? parsed.invocation.options : [])]);
  if (options.has('help')) {
    terminal.print(verbHelp(verb, terminal));
    return Exit.done;
  }
  if (!parsed.ok) return usage(terminal, parsed.message, verb);
  return callVerb(verb, { positionals: parsed.invocation.positionals, options }, call);
}

async function callVerb(verb: Verb, invocation: Invocation, call: CommandCall): Promise<number> {
  const { least, most } = verb.positionals;
  if (invocation.positionals.length < least) return usage(call.terminal, `${verb.name} needs more words`, verb);
  const extra = invocation.positionals[most];
  if (extra !== undefined) return usage(call.terminal, `${verb.name} has no use for "${extra}"`, verb);
  const folder = invocation.options.get('cwd');
  const cwd = typeof folder === 'string' ? resolve(call.cwd, folder) : call.cwd;
  if (typeof folder === 'string' && !isFolder(cwd)) {
    return usage(call.terminal, `--cwd: there is no folder ${cwd}`, null);
  }
  const context: Context = {
    cwd,
    cwdGiven: typeof folder === 'string',
    json: invocation.options.has('json'),
    terminal: call.terminal,
    environment: call.environment,
  };
  return verb.run(context, invocation);
}

/** Says what is wrong, how it is written and where more is told. */
function usage(terminal: Terminal, message: string, verb: Verb | null): number {
  terminal.say(`coppice: ${message}`);
  if (verb === null) terminal.say('`coppice --help` lists the verbs.');
  else
    terminal.say(
      `Usage: coppice ${verb.name} ${verb.usage}\n\`coppice ${verb.name} --help\` explains it, with examples.`,
    );
  return Exit.usage;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const VERSION_OPTION = { long: 'version', short: 'V', description: 'show the version' };
