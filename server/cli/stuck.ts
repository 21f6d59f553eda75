import { readProcessTable } from '../process/table.ts';
import { HEARTBEAT_PERIOD_MS, heartbeatAgeMs, readHeartbeat } from '../store/heartbeat.ts';
import type { SupervisorLock } from '../store/types.ts';

/** A beat is missed by a machine that is busy; three in a row are not. */
const LATE_AFTER_MS = 3 * HEARTBEAT_PERIOD_MS;

/** Stopped, or without a heartbeat for too long: it is not merely slow, and waiting for its answer is in vain. */
export function isStuck(lock: SupervisorLock): boolean {
  const state = readProcessTable().rows.get(lock.pid)?.state;
  if (state === 'T' || state === 't') return true;
  const reading = readHeartbeat(lock.stateDir);
  if (reading.kind !== 'heartbeat' || reading.heartbeat.pid !== lock.pid) return false;
  // A machine that slept shows an old beat until the next one; it was no silence.
  return heartbeatAgeMs(reading.heartbeat) > LATE_AFTER_MS;
}
