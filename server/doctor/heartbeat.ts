import { HEARTBEAT_PERIOD_MS, HEARTBEAT_STALE_MS } from '../store/heartbeat.ts';
import { formatDuration } from '../text/units.ts';
import type { DoctorFacts } from './facts.ts';
import type { CheckResult, Finding, HeartbeatSection } from './types.ts';

const LATE_AFTER_MS = 3 * HEARTBEAT_PERIOD_MS;
const SLOW_LOOP_MS = 1000;

/** Does the holder beat? Identity decides who is dead, however fresh the last beat is; the beat tells who is stuck. */
export function checkHeartbeat(facts: DoctorFacts): CheckResult<HeartbeatSection> {
  const { heartbeat, lock, holder, now } = facts;
  const held = lock !== null && holder !== 'dead';
  // A beat of an earlier supervisor says nothing about this one.
  const own =
    heartbeat !== null && (lock === null || (heartbeat.pid === lock.pid && heartbeat.startTime === lock.startTime));
  const ageMs = heartbeat === null ? null : Math.max(0, now - heartbeat.at);
  const finding = (level: Finding['level'], message: string, fix: string | null): Finding => ({
    check: 'heartbeat',
    level,
    message,
    fix,
  });
  if (!held) {
    const verdict = heartbeat === null || lock === null ? 'none' : 'dead';
    return { section: { ageMs, verdict }, findings: [] };
  }
  if (heartbeat === null || !own || ageMs === null) {
    const age = now - lock.startedAt;
    const findings =
      age > LATE_AFTER_MS
        ? [
            finding(
              'warn',
              `supervisor ${lock.pid} has never written a heartbeat, ${formatDuration(age)} after its start`,
              `if it does not answer either: kill ${lock.pid}`,
            ),
          ]
        : [];
    return { section: { ageMs: null, verdict: age > LATE_AFTER_MS ? 'late' : 'none' }, findings };
  }
  const findings: Finding[] = [];
  if (heartbeat.eventLoopDelayMs > SLOW_LOOP_MS) {
    findings.push(
      finding(
        'warn',
        `the supervisor's event loop was held up for ${formatDuration(heartbeat.eventLoopDelayMs)}`,
        'the machine may be short of processor time or memory',
      ),
    );
  }
  if (ageMs <= LATE_AFTER_MS) return { section: { ageMs, verdict: 'fresh' }, findings };
  const suspect = ageMs > HEARTBEAT_STALE_MS;
  findings.push(
    finding(
      suspect ? 'error' : 'warn',
      `the last heartbeat of supervisor ${lock.pid} is ${formatDuration(ageMs)} old`,
      suspect
        ? `it may be stuck or suspended; if \`coppice ps\` does not answer: kill ${lock.pid}`
        : 'a machine that was just suspended shows this for a moment',
    ),
  );
  return { section: { ageMs, verdict: suspect ? 'suspect' : 'late' }, findings };
}
