import { HEARTBEAT_PERIOD_MS, HEARTBEAT_STALE_MS, heartbeatAgeMs, steadyAgeMs } from '../store/heartbeat.ts';
import type { Heartbeat } from '../store/types.ts';
import { formatDuration } from '../text/units.ts';
import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import { isConfirmed } from './suspicion.ts';
import type { CheckResult, Finding, HeartbeatSection } from './types.ts';

const LATE_AFTER_MS = 3 * HEARTBEAT_PERIOD_MS;
const SLOW_LOOP_MS = 1000;

/** Does the holder beat? Identity decides who is dead, however fresh the last beat is; the beat tells who is stuck. */
export function checkHeartbeat(facts: DoctorFacts): CheckResult<HeartbeatSection> {
  const { heartbeat: reading, lock, holder, now } = facts;
  const held = lock !== null && holder !== 'dead';
  switch (reading.kind) {
    case 'corrupt':
    case 'unreadable': {
      const detail = reading.kind === 'corrupt' ? reading.detail : reading.failure.detail;
      const findings = [
        finding(
          'warn',
          `the heartbeat cannot be ${reading.kind === 'corrupt' ? 'understood' : 'read'}: ${detail}`,
          held ? 'the next beat replaces it' : 'the next supervisor sets it aside',
        ),
      ];
      return { section: { ageMs: null, verdict: 'corrupt' }, findings };
    }
    case 'absent':
      return held ? checkMissing(facts, now - lock.startedAt, lock.pid) : nothing(null, 'none');
    case 'heartbeat': {
      const { heartbeat } = reading;
      const ageMs = heartbeatAgeMs(heartbeat, { ...facts.clock, wall: now });
      if (!held) return nothing(Math.max(0, ageMs), lock === null ? 'none' : 'dead');
      if (heartbeat.pid !== lock.pid || heartbeat.startTime !== lock.startTime) {
        return checkForeign(facts, heartbeat, lock.pid);
      }
      return checkOwn(facts, heartbeat, ageMs);
    }
    default:
      return reading satisfies never;
  }
}

function checkMissing(facts: DoctorFacts, ageMs: number, pid: number): CheckResult<HeartbeatSection> {
  if (ageMs <= LATE_AFTER_MS || facts.holder !== 'alive') return nothing(null, 'none');
  const message = `supervisor ${pid} has no heartbeat, ${formatDuration(ageMs)} after its start: it was deleted, or could not be written`;
  return {
    section: { ageMs: null, verdict: 'missing' },
    findings: [finding('warn', message, `the next beat comes within 15 s; if not: ${quotes('coppice events')}`)],
  };
}

/** A beat of another process says nothing about this one (R86). */
function checkForeign(facts: DoctorFacts, beat: Heartbeat, pid: number): CheckResult<HeartbeatSection> {
  const age = facts.lock === null ? 0 : facts.now - facts.lock.startedAt;
  if (age <= LATE_AFTER_MS || facts.holder !== 'alive') return nothing(null, 'none');
  const message = `the heartbeat is of pid ${beat.pid}, and supervisor ${pid} holds the workspace for ${formatDuration(age)}: it has never beaten`;
  return {
    section: { ageMs: null, verdict: 'foreign' },
    findings: [finding('warn', message, `if it does not answer either: ${quotes(`kill -KILL ${pid}`)}`)],
  };
}

function checkOwn(facts: DoctorFacts, beat: Heartbeat, age: number): CheckResult<HeartbeatSection> {
  const findings: Finding[] = [];
  if (beat.eventLoopDelayMs > SLOW_LOOP_MS) {
    findings.push(
      finding(
        'warn',
        `the supervisor's event loop was held up for ${formatDuration(beat.eventLoopDelayMs)}`,
        'the machine may be short of processor time or memory',
      ),
    );
  }
  // After a clock was set back it would else be fresh for as long as the clock was wrong (R87).
  if (age < -HEARTBEAT_PERIOD_MS) {
    const message = `the last heartbeat of supervisor ${beat.pid} is from ${formatDuration(-age)} in the future: a clock was set back, so it proves nothing`;
    findings.push(finding('warn', message, 'the next beat puts it right, within 15 s'));
    return { section: { ageMs: 0, verdict: 'future' }, findings };
  }
  const ageMs = Math.max(0, age);
  if (ageMs <= LATE_AFTER_MS) return { section: { ageMs, verdict: 'fresh' }, findings };
  const old = `the last heartbeat of supervisor ${beat.pid} is ${formatDuration(ageMs)} old`;
  const clocks = { ...facts.clock, wall: facts.now };
  if (!isConfirmed(facts.firstLook, { reading: facts.heartbeat, clocks })) {
    findings.push(finding('warn', old, 'look again: a machine that was just suspended shows this for a moment'));
    return { section: { ageMs, verdict: 'late' }, findings };
  }
  // Where writer and reader share no clock that stands still in sleep, two rounds cannot tell sleep from silence.
  const slept = steadyAgeMs(beat, clocks) === null && ageMs - facts.suspendedMs <= HEARTBEAT_STALE_MS;
  const answers = facts.answer.kind === 'answered';
  const means = answers
    ? 'it answers, so its beats cannot be written; is the disk full?'
    : slept
      ? `it is suspect; this machine has slept for ${formatDuration(facts.suspendedMs)} since its start, which may be all`
      : 'it is suspect, in two rounds: stopped, wedged, or cut off from its disk';
  const fix = `look again in 20 s; if it is no younger then: ${quotes(`kill -CONT ${beat.pid}`)} wakes it if it is stopped, and after ${quotes(`kill -KILL ${beat.pid}`)} a successor takes over`;
  findings.push(finding(slept || answers ? 'warn' : 'error', `${old}: ${means}`, fix));
  return { section: { ageMs, verdict: 'suspect' }, findings };
}

function nothing(ageMs: number | null, verdict: HeartbeatSection['verdict']): CheckResult<HeartbeatSection> {
  return { section: { ageMs, verdict }, findings: [] };
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'heartbeat', level, message, fix };
}
