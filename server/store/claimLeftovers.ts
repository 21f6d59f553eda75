import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { identify, isValidPid } from '../process/identity.ts';
import type { Viewpoint } from './holder.ts';
import { readLockFile } from './lockFile.ts';
import { removeQuietly } from './takeover.ts';

/**
 * Removes the temporary files and tickets of contenders that were killed, once `own` is the lock: no ticket but one for
 * `own` means anything now, and one for `own` cannot be while its holder lives. Those of contenders that may live are
 * left: they remove them themselves.
 */
export async function removeLeftovers(lockPath: string, own: string, view: Viewpoint): Promise<void> {
  const folder = dirname(lockPath);
  const name = new RegExp(
    `^${basename(lockPath).replace('.', '\\.')}\\.(?:takeover-[0-9a-f]+|\\d+-[0-9a-f]{12}\\.tmp)$`,
  );
  let names: string[];
  try {
    names = readdirSync(folder).filter((one) => name.test(one));
  } catch {
    return;
  }
  for (const one of names) {
    const path = join(folder, one);
    const file = readLockFile(path);
    if (file.kind === 'lock') {
      const state = await view.liveness(file.lock);
      const foreign = file.lock.hostname !== view.hostname || file.lock.pidNamespace !== view.pidNamespace;
      const dead = !foreign && (state === 'gone' || state === 'zombie' || state === 'recycled');
      if (!dead && view.now() - file.mtimeMs < OLD_MS) continue;
    } else if (file.kind === 'corrupt') {
      // Killed before it was filled: only its name says whose it is.
      const writer = Number(/\.(\d+)-[0-9a-f]+\.tmp$/.exec(one)?.[1]);
      const dead = isValidPid(writer) && identify(writer) === null;
      if (!dead && view.now() - file.mtimeMs < OLD_MS) continue;
    } else {
      continue;
    }
    const lock = readLockFile(lockPath);
    if (lock.kind !== 'lock' || lock.text !== own) return;
    removeQuietly(path);
  }
}

/** No claim takes this long; what is older was left by somebody who cannot be asked. */
const OLD_MS = 5 * 60_000;
