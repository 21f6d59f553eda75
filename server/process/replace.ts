/**
 * Replaces the program of this very process, which keeps its pid, its standard streams and whoever waits for it;
 * everything else that it had open is closed. Nothing is started. `false` where that cannot be done (Windows, older
 * Node); otherwise it does not return.
 */
export function replaceProgram(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32' || typeof process.execve !== 'function') return false;
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  process.execve(argv[0], [...argv], Object.fromEntries(known));
  return true;
}
