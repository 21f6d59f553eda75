import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { Finding } from './types.ts';

/** The lock file itself: there and whole, and written by this user. Who is in it is the business of another check. */
export function checkLock({ lockFile, supervisors, holder, lock, state }: DoctorFacts): Finding[] {
  const findings: Finding[] = [];
  const say = (level: Finding['level'], message: string, fix: string | null): void => {
    findings.push({ check: 'lock', level, message, fix });
  };
  switch (lockFile.kind) {
    case 'absent': {
      const [first] = supervisors;
      if (first !== undefined) {
        const message = `the lock is gone, and supervisor ${first.identity.pid} of this workspace runs: something has deleted it, such as ${quotes('git clean -x')}`;
        say('warn', message, 'the supervisor puts it back within seconds; run this again');
      }
      break;
    }
    case 'corrupt':
      say(
        'warn',
        `the lock of the workspace is no lock: ${lockFile.detail ?? 'it cannot be understood'}`,
        `${quotes('coppice up')} sets it aside and claims the workspace anew`,
      );
      break;
    case 'unreadable':
      say(
        'error',
        `the lock of the workspace cannot be read: ${lockFile.detail ?? 'the system gave no reason'}`,
        'see to it that this user may read `.coppice/supervisor.lock`',
      );
      break;
    case 'lock':
      break;
    default:
      lockFile.kind satisfies never;
  }
  if (lockFile.foreignUser !== null) {
    const lives = holder === 'alive' ? ', who has a supervisor here' : '';
    const message = `the lock${lock === null ? '' : ` (pid ${lock.pid})`} was written by the user with uid ${lockFile.foreignUser}${lives}`;
    say('warn', message, 'one user a workspace: let that user end it there, or use a copy of the folder');
  }
  const tickets = state.abandoned.filter((path) => path.includes('supervisor.lock.'));
  if (tickets.length > 0) {
    const message = `${tickets.length} ${tickets.length === 1 ? 'claim was' : 'claims were'} left half done by processes that are gone; they block nobody`;
    say('info', message, `the next supervisor removes them, and so does ${quotes('coppice doctor --fix')}`);
  }
  return findings;
}
