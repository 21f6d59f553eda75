import type { DoctorFacts, SupervisorProcess } from './facts.ts';
import { quotes } from './say.ts';
import type { CheckResult, Finding, HolderEntry, SupervisorsSection } from './types.ts';

/** One supervisor a workspace: who holds the lock, does he answer, and does anybody else act as one? */
export function checkSupervisors(facts: DoctorFacts): CheckResult<SupervisorsSection> {
  const { lock } = facts;
  const strays = facts.supervisors.filter((one) => one.identity.pid !== lock?.pid);
  const state = holderState(facts);
  const held = state !== null && state !== 'dead';
  const findings = [...sayHolder(facts, state), ...sayStrays(strays, held)];
  if (lock === null && strays.length === 0) findings.push(finding('info', 'no supervisor runs', null));
  return {
    section: {
      count: (held ? 1 : 0) + strays.length,
      holder:
        lock === null
          ? null
          : {
              pid: lock.pid,
              host: lock.hostname,
              since: lock.startedAt,
              version: lock.version,
              endpoint: lock.endpoint,
              state: state ?? 'unknown',
            },
      limits: lock?.limits ?? null,
      others: strays.map((one) => one.identity.pid),
    },
    findings,
  };
}

/** `null`: nobody is in the lock. */
export function holderState({ lock, holder, supervisors, answer, now }: DoctorFacts): HolderEntry['state'] | null {
  if (lock === null) return null;
  switch (holder) {
    case 'alive': {
      if (supervisors.some((one) => one.identity.pid === lock.pid && one.stopped)) return 'stopped';
      // A start takes a moment from the claim to the first answer, and so does a drain from the last one to the end.
      const starting = answer.kind === 'not_listening' && now - lock.startedAt < START_MS;
      return answer.kind === 'silent' || (answer.kind === 'not_listening' && !starting) ? 'wedged' : 'alive';
    }
    case 'dead':
    case 'elsewhere':
      return holder;
    case 'unknown':
    case null:
      return 'unknown';
    default:
      return holder satisfies never;
  }
}

const START_MS = 30_000;

function sayHolder(facts: DoctorFacts, state: HolderEntry['state'] | null): Finding[] {
  const { lock, answer } = facts;
  if (lock === null || state === null) return [];
  const who = `supervisor pid ${lock.pid} on ${lock.hostname}`;
  const since = `since ${new Date(lock.startedAt).toISOString()}`;
  switch (state) {
    case 'alive': {
      const text = `${who} holds the workspace ${since} (version ${lock.version}, heap limit ${lock.limits.maxHeapMb} MB)`;
      const refused =
        answer.kind === 'refused'
          ? [finding('warn', `it lives and refuses this command: ${answer.detail}`, 'update the older of the two')]
          : [];
      return [finding('info', text, null), ...refused];
    }
    case 'stopped':
      return [
        finding(
          'error',
          `${who} is stopped (state T), by a signal or a debugger: it restarts nothing and answers nobody; what it started runs on`,
          `${quotes(`kill -CONT ${lock.pid}`)}, or ${quotes('coppice doctor --fix')}, lets it go on; after ${quotes(`kill -KILL ${lock.pid}`)} a successor takes over`,
        ),
      ];
    case 'wedged': {
      const how =
        answer.kind === 'silent'
          ? `accepts connections and did not answer within ${answer.afterMs} ms`
          : `does not listen at ${lock.endpoint}${answer.kind === 'not_listening' ? ` (${answer.detail})` : ''}`;
      return [
        finding(
          'error',
          `${who} lives and ${how}: it may be wedged`,
          `if ${quotes('coppice ps')} does not answer either: ${quotes(`kill -KILL ${lock.pid}`)}; a successor takes over, and what it started runs on`,
        ),
      ];
    }
    case 'dead':
      return [
        finding(
          'warn',
          `the lock names ${who}, which has ended without releasing it`,
          `${quotes('coppice up')} takes the workspace over`,
        ),
      ];
    case 'elsewhere':
      return [
        finding(
          'warn',
          `${who} holds the workspace ${since}; it runs on another machine or in another container and cannot be looked at from here`,
          'run the command there',
        ),
      ];
    case 'unknown':
      return [
        finding(
          'warn',
          `${who} holds the workspace, and whether it lives cannot be told`,
          'look at it with the means of the system',
        ),
      ];
    default:
      return state satisfies never;
  }
}

/** They were there for longer than a contest for the lock takes. */
function sayStrays(strays: readonly SupervisorProcess[], held: boolean): Finding[] {
  if (strays.length === 0) return [];
  const pids = strays.map((one) => one.identity.pid);
  const text = held
    ? `supervisor processes besides the holder: pid ${pids.join(', ')}`
    : `supervisor processes that hold no lock: pid ${pids.join(', ')}`;
  const fix = `run ${quotes('coppice doctor')} again in a few seconds, as one may be starting or ending; if they are still there: ${quotes(`kill ${pids.join(' ')}`)}`;
  return [finding('error', text, fix)];
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'supervisors', level, message, fix };
}
