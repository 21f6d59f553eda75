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
