import { runSupervisor } from './life/run.ts';

/** `--root <folder>`: the workspace, already resolved by whoever starts the supervisor. */
const at = process.argv.indexOf('--root');
const root = at === -1 ? process.cwd() : (process.argv[at + 1] ?? process.cwd());

/** Everything is released by then; what still holds the event loop is not waited for. */
const LAST_MOMENT_MS = 500;

/** `--successor`: it was not asked for; the supervisor before was lost. */
const successor = process.argv.includes('--successor');

void runSupervisor({ root, foreground: false, successor }).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LAST_MOMENT_MS).unref();
});
