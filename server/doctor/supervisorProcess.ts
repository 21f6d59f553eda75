import { basename } from 'node:path';

/** The workspace that a command line is the supervisor of; `null` when it is none. Pure. */
export function supervisorRoot(argv: readonly string[]): string | null {
  const program = argv.findIndex((word) => PROGRAMS.test(word));
  // Only `node [options] <program> --root <root>`: a shell or an editor that merely mentions it is none.
  const options = argv.slice(1, Math.max(1, program));
  if (
    program < 1 ||
    !/^(node|nodejs|node\.exe)$/.test(basename(argv[0] ?? '')) ||
    !options.every((word) => word.startsWith('-'))
  ) {
    return null;
  }
  const at = argv.indexOf('--root', program);
  return at === -1 ? null : (argv[at + 1] ?? null);
}

const PROGRAMS = /[\\/](?:dist[\\/]supervisor\.cjs|supervisor\.cjs|server[\\/]main\.ts)$/;

/**
 * Whether a command line is `coppice serve`, which is the supervisor itself, and the folder that it names; `null` when
 * it is none, `''` when it names none and its working directory counts. Pure.
 */
export function servedFolder(argv: readonly string[]): string | null {
  const program = argv.findIndex((word) => COMMANDS.test(word));
  const options = argv.slice(1, Math.max(1, program));
  if (
    program < 1 ||
    !/^(node|nodejs|node\.exe)$/.test(basename(argv[0] ?? '')) ||
    !options.every((word) => word.startsWith('-'))
  ) {
    return null;
  }
  const words = argv.slice(program + 1);
  const named = words.findIndex((word) => word === '--cwd' || word.startsWith('--cwd='));
  const folder = named === -1 ? '' : words[named]?.slice('--cwd='.length) || (words[named + 1] ?? '');
  const verbs = words.filter((word, at) => !word.startsWith('-') && at !== (words[named] === '--cwd' ? named + 1 : -1));
  return verbs[0] === 'serve' ? folder : null;
}

const COMMANDS = /(?:^|[\\/])(?:coppice(?:\.cjs)?|server[\\/]cli[\\/]main\.ts)$/;
