/** What a verb is: its face on the command line and what it does. One file each under `verbs/`. */
import type { Terminal } from './terminal.ts';

export { ExitCode as Exit } from '../life/exitCode.ts';

export interface OptionSpec {
  /** Without the dashes. */
  readonly long: string;
  readonly short?: string;
  /** Name of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly description: string;
}

export interface VerbSpec {
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  /** What follows the name, such as `[name...]`. */
  readonly usage: string;
  /** What it does, what it waits for, what it leaves behind: the help teaches. */
  readonly description: string;
  readonly positionals: { readonly least: number; readonly most: number };
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly effect: string }[];
  /** Everything from the first positional on belongs to a command of the user's. */
  readonly passthrough?: boolean;
}

export interface Invocation {
  readonly positionals: readonly string[];
  /** Long name to value; `true` for a switch. */
  readonly options: ReadonlyMap<string, string | true>;
}

export interface Context {
  /** Where the command was called, or `--cwd`: absolute. */
  readonly cwd: string;
  /** `--cwd` was given: that very folder is meant, not one above it. */
  readonly cwdGiven: boolean;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
}

export interface Verb extends VerbSpec {
  /** Resolves with the exit code. */
  run(context: Context, invocation: Invocation): Promise<number>;
}
