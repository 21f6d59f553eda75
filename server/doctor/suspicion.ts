/**
 * The rule for a live supervisor whose heartbeat is stale: two rounds in a row must find the same beat stale, by a clock
 * that knows of suspend. One that was just continued, or whose machine just woke, beats between the two.
 */
import { type Clocks, sleptBetween } from '../store/clocks.ts';
import { HEARTBEAT_STALE_MS, type HeartbeatReading, heartbeatAgeMs } from '../store/heartbeat.ts';

/** One round: what was read, and the clocks at that moment. */
export interface HeartbeatLook {
  readonly reading: HeartbeatReading;
  readonly clocks: Clocks;
}

/** What a timer needs that is long overdue in a process that runs again. */
export const ROUND_MS = 500;

/** How long to wait for the second round; 0 where the first has nothing to be confirmed. */
export function untilSecondRound(first: HeartbeatLook, steady: number): number {
  return isStale(first) ? Math.max(0, ROUND_MS - (steady - first.clocks.steady)) : 0;
}

/** Both rounds found the same stale beat, they were far enough apart, and the machine was awake from one to the other. */
export function isConfirmed(first: HeartbeatLook | null, second: HeartbeatLook): boolean {
  if (first === null || !isStale(first) || !isStale(second)) return false;
  if (!isSameBeat(first.reading, second.reading)) return false;
  return second.clocks.steady - first.clocks.steady >= ROUND_MS && !sleptBetween(first.clocks, second.clocks);
}

function isStale({ reading, clocks }: HeartbeatLook): boolean {
  return reading.kind === 'heartbeat' && heartbeatAgeMs(reading.heartbeat, clocks) > HEARTBEAT_STALE_MS;
}

function isSameBeat(one: HeartbeatReading, other: HeartbeatReading): boolean {
  if (one.kind !== 'heartbeat' || other.kind !== 'heartbeat') return false;
  const { pid, startTime, at } = one.heartbeat;
  return pid === other.heartbeat.pid && startTime === other.heartbeat.startTime && at === other.heartbeat.at;
}
