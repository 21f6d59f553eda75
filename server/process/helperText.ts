/**
 * Standard output of a short helper command such as `ps`, whatever its exit code; `null` when it could not be
 * started, did not end in time, or failed without a word. A parameter of those who use it, so that tests can give
 * recorded output.
 */
export type HelperText = (argv: readonly [string, ...string[]]) => Promise<string | null>;

export const helperText: HelperText = async (argv) => {
  // Loaded on first use: on Linux nearly everything is read from /proc, and a short command need not load this.
  const { runHelper } = await import('./launch.ts');
  const { cleanEnvironment } = await import('./environment.ts');
  // Dates and messages are parsed, so they must not be in the user's language.
  const env = { ...cleanEnvironment(process.env).env, LC_ALL: 'C' };
  const result = await runHelper(argv, { env, timeoutMs: 10_000, maxBytes: 4 * 1024 * 1024 });
  if (!result.ok) return null;
  return result.stdout === '' && result.code !== 0 ? null : result.stdout;
};
