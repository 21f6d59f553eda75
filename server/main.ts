import { runSupervisor } from './life/run.ts';

/** `--root <folder>`: the workspace, already resolved by whoever starts the supervisor. */
const root = optionValue('--root') ?? process.cwd();
/** `--successor <losses>`, by a guardian: how often it lost its supervisor. */
const losses = Number(optionValue('--successor') ?? 0);
/** `--state <folder>`, by a guardian: where the lost supervisor kept its state. */
const stateDir = optionValue('--state');

/** Everything is released by then; what still holds the event loop is not waited for. */
const LAST_MOMENT_MS = 500;

const counted = Number.isSafeInteger(losses) && losses > 0 ? losses : 0;

void runSupervisor({ root, foreground: false, losses: counted, stateDir }).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LAST_MOMENT_MS).unref();
});

function optionValue(option: string): string | undefined {
  const at = process.argv.indexOf(option);
  return at === -1 ? undefined : process.argv[at + 1];
}
