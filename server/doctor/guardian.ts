import { formatBytes } from '../text/units.ts';
import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { CheckResult, Finding, GuardianSection } from './types.ts';

type Recorded = Extract<DoctorFacts['guardian'], { kind: 'recorded' }>;

/** Is there somebody who would start a successor? Without one, a supervisor that is killed stays dead until asked for. */
export function checkGuardian({ guardian, holder }: DoctorFacts): CheckResult<GuardianSection> {
  const alive = holder === 'alive';
  switch (guardian.kind) {
    // A supervisor of a version without one, or on a system that has none.
    case 'absent':
      return { section: { pid: null, status: 'none' }, findings: [] };
    case 'unreadable': {
      const message = `${guardian.path} cannot be understood: ${guardian.detail}`;
      const fix = alive ? `${quotes('coppice down')}, then ${quotes('coppice up')}, writes it anew` : null;
      return { section: { pid: null, status: 'unknown' }, findings: [finding('warn', message, fix)] };
    }
    case 'recorded':
      break;
    default:
      return guardian satisfies never;
  }
  const pid = guardian.identity?.pid ?? null;
  if (guardian.gaveUp !== null) {
    const message = `the guardian starts no more supervisors: ${guardian.gaveUp}`;
    const fix = alive ? null : `${quotes('coppice up')} starts one, and a new guardian with it`;
    return { section: { pid, status: 'gave_up' }, findings: [finding(alive ? 'warn' : 'error', message, fix)] };
  }
  if (pid === null) {
    const message = 'there is no guardian on this system: a supervisor that is killed gets no successor by itself';
    const findings = alive ? [finding('warn', message, `after a loss ${quotes('coppice up')} takes over`)] : [];
    return { section: { pid, status: 'none' }, findings };
  }
  switch (guardian.liveness) {
    case 'alive': {
      if (!guardian.stopped) {
        return { section: { pid, status: 'watching' }, findings: [sayWatching(guardian, pid, alive)] };
      }
      const message = `the guardian (pid ${pid}) is stopped (state T): a supervisor that is killed gets no successor`;
      const fix = `${quotes(`kill -CONT ${pid}`)}, or ${quotes('coppice doctor --fix')}; a supervisor that is well replaces it within seconds`;
      return { section: { pid, status: 'stopped' }, findings: [finding(alive ? 'warn' : 'error', message, fix)] };
    }
    case 'gone':
    case 'zombie':
    case 'recycled': {
      const status = { pid, status: 'gone' } as const;
      if (alive) {
        const message = `the guardian (pid ${pid}) has ended`;
        return {
          section: status,
          findings: [finding('warn', message, 'the supervisor starts another within seconds')],
        };
      }
      if (holder !== 'dead') return { section: status, findings: [] };
      const message = `the guardian (pid ${pid}) has ended as well as its supervisor: nobody will start a successor`;
      return { section: status, findings: [finding('warn', message, `${quotes('coppice up')} takes over`)] };
    }
    case 'unknown':
      return { section: { pid, status: 'unknown' }, findings: [] };
    default:
      return guardian.liveness satisfies never;
  }
}

function sayWatching(guardian: Recorded, pid: number, alive: boolean): Finding {
  const losses =
    guardian.losses === 0 ? '' : `, ${guardian.losses} ${guardian.losses === 1 ? 'loss' : 'losses'} counted so far`;
  const weight = guardian.weightBytes === null ? '' : ` (${formatBytes(guardian.weightBytes)} of memory)`;
  const text = alive ? `would start a successor` : `is about to start a successor`;
  return finding('info', `pid ${pid}${weight} ${text}${losses}`, null);
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'guardian', level, message, fix };
}
