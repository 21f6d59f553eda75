import { endpointProblem } from '../store/endpoint.ts';
import { judgeHolder, readLock, viewpointOf } from '../store/holder.ts';
import { readLockCopy } from '../store/stateDirectory.ts';
import type { SupervisorLock } from '../store/types.ts';
import { PROBLEMS } from '../store/workspace.ts';
import { prospectOf } from './prospect.ts';
import type { Sight } from './reconnect.ts';

/** Looks once at who holds the workspace. */
export type Locate = () => Promise<Sight>;

/** `stateDir`: where a copy of the lock is kept, for the case that the lock itself is deleted. */
export function lockLocator(root: string, stateDir: string): Locate {
  return async () => {
    const reading = await readLock(root);
    switch (reading.verdict) {
      case 'live':
      case 'presumed_live':
        return holder(reading.lock, reading.verdict === 'presumed_live');
      case 'stale':
        return { kind: 'dead_holder', pid: reading.lock.pid, prospect: prospectOf(stateDir) };
      case 'absent': {
        // Released with its copy, which goes first; a copy without a lock is the trace of `git clean -x`.
        const copy = readLockCopy(stateDir);
        if (copy === null) return { kind: 'nobody' };
        const verdict = await judgeHolder(copy, 0, viewpointOf(root));
        if (verdict !== 'stale') return holder(copy, false);
        return { kind: 'dead_holder', pid: copy.pid, prospect: prospectOf(stateDir) };
      }
      case 'corrupt':
        return { kind: 'unclear', detail: reading.detail };
      case 'unreadable':
        return { kind: 'unclear', detail: 'the lock cannot be read' };
      default:
        return reading satisfies never;
    }
  };
}

function holder(lock: SupervisorLock, elsewhere: boolean): Sight {
  const problem = endpointProblem(lock.endpoint);
  // Not bound yet: connecting will tell.
  if (problem === null || problem === 'missing')
    return { kind: 'holder', holder: { pid: lock.pid, endpoint: lock.endpoint, elsewhere } };
  return { kind: 'refused', pid: lock.pid, detail: `${lock.endpoint}: ${PROBLEMS[problem]}` };
}
