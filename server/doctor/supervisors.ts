import type { DoctorFacts } from './facts.ts';
import type { CheckResult, Finding, SupervisorsSection } from './types.ts';

/** One supervisor a workspace: who holds the lock, and does anybody else act as one? */
export function checkSupervisors(facts: DoctorFacts): CheckResult<SupervisorsSection> {
  const { lock, holder } = facts;
  const others = facts.supervisorPids.filter((pid) => pid !== lock?.pid);
  const held = holder === 'alive' || holder === 'elsewhere' || holder === 'unknown';
  const findings: Finding[] = [];
  const say = (level: Finding['level'], message: string, fix: string | null): void => {
    findings.push({ check: 'supervisors', level, message, fix });
  };
  if (lock !== null) {
    const who = `supervisor pid ${lock.pid} on ${lock.hostname}`;
    const since = `since ${new Date(lock.startedAt).toISOString()}`;
    switch (holder) {
      case 'alive':
        say(
          'info',
          `${who} holds the workspace ${since} (version ${lock.version}, heap limit ${lock.limits.maxHeapMb} MB)`,
          null,
        );
        break;
      case 'dead':
        say(
          'warn',
          `the lock names ${who}, which has ended without releasing it`,
          '`coppice up` takes the workspace over',
        );
        break;
      case 'elsewhere':
        say(
          'warn',
          `${who} holds the workspace ${since}; it runs on another machine or in another container and cannot be looked at from here`,
          'run the command there',
        );
        break;
      case 'unknown':
      case null:
        say(
          'warn',
          `${who} holds the workspace, and whether it lives cannot be told`,
          'look at it with the means of the system',
        );
        break;
      default:
        holder satisfies never;
    }
  } else if (others.length === 0) {
    say('info', 'no supervisor runs', null);
  }
  if (others.length > 0) {
    const pids = others.join(', ');
    // A second supervisor may be about to lose the race for the lock; a person who sees this twice should act.
    const text = held
      ? `supervisor processes besides the holder: pid ${pids}`
      : `supervisor processes that hold no lock: pid ${pids}`;
    say(
      'error',
      text,
      `run \`coppice doctor\` again in a few seconds; if they are still there: kill ${others.join(' ')}`,
    );
  }
  return {
    section: {
      count: (held ? 1 : 0) + others.length,
      holder:
        lock === null
          ? null
          : {
              pid: lock.pid,
              host: lock.hostname,
              since: lock.startedAt,
              version: lock.version,
              endpoint: lock.endpoint,
              state: holder ?? 'unknown',
            },
      limits: lock?.limits ?? null,
      others,
    },
    findings,
  };
}
