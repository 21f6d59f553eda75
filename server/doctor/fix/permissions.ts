import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { folderProblem } from '../../store/trust.ts';
import type { DoctorFacts } from '../facts.ts';
import { listed } from '../say.ts';
import type { FixOutcome } from './types.ts';

/** Takes from others the right to change files of the state directory. */
export function closeFiles({ state }: DoctorFacts): FixOutcome[] {
  return state.open.map((path) => takeAway(path, 'state'));
}

/**
 * Makes a folder of this user's private again. One that others could write to may hold what they put there: then every
 * entry has to be this user's own, or it is left for a person to look at.
 */
export function closeFolder(path: string, check: string): FixOutcome | null {
  if (folderProblem(path) !== 'not_private') return null;
  const user = process.getuid?.();
  const { mode } = lstatSync(path);
  const foreign = readdirSync(path).filter((name) => {
    const entry = lstatSync(join(path, name), { throwIfNoEntry: false });
    return entry !== undefined && (entry.uid !== user || entry.isSymbolicLink());
  });
  if ((mode & 0o022) !== 0 && foreign.length > 0) {
    const message = `${path} is left open: others could write to it, and it holds links or files of others: ${listed(foreign)}`;
    return { check, done: false, message };
  }
  return takeAway(path, check);
}

function takeAway(path: string, check: string): FixOutcome {
  try {
    const { mode, uid } = lstatSync(path);
    if (uid !== process.getuid?.() || (mode & 0o170000) === 0o120000) {
      return { check, done: false, message: `${path} is not this user's own file` };
    }
    const now = mode & 0o700;
    chmodSync(path, now);
    const [before, after] = [mode & 0o777, now].map((one) => one.toString(8).padStart(4, '0'));
    return { check, done: true, message: `${path}: mode ${before} is now ${after}` };
  } catch (error) {
    return { check, done: false, message: `${path}: ${(error as Error).message}` };
  }
}
