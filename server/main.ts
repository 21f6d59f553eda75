import { runSupervisor } from './life/run.ts';

/** `--root <folder>`: the workspace, already resolved by whoever starts the supervisor. */
const at = process.argv.indexOf('--root');
const root = at === -1 ? process.cwd() : (process.argv[at + 1] ?? process.cwd());

void runSupervisor({ root, foreground: false }).then((code) => {
  process.exitCode = code;
});
