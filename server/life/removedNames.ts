/**
 * Whoever starts a supervisor cleans its environment first, and hands the names that he took away over in this
 * variable, so that what was removed can be seen.
 */
export const REMOVED_VARIABLE = 'COPPICE_REMOVED_NAMES';

/** The names that were taken away before this process began; the variable itself goes with them. */
export function takeRemovedNames(environment: NodeJS.ProcessEnv): readonly string[] {
  const names = (environment[REMOVED_VARIABLE] ?? '').split(' ').filter((name) => name !== '');
  delete environment[REMOVED_VARIABLE];
  return names;
}
