import { join } from 'node:path';
import { writeFileAtomicSync } from './atomic.ts';
import { type ClockMark, type Clocks, clocksNow } from './clocks.ts';
import type { IoFailure, WriteResult } from './ioFailure.ts';
import { parseObject, readSmallFile } from './smallFile.ts';
import type { Heartbeat } from './types.ts';

/** How often a supervisor beats. */
export const HEARTBEAT_PERIOD_MS = 15_000;
/** From this age on a heartbeat speaks for nobody. */
export const HEARTBEAT_STALE_MS = 5 * 60_000;

export type HeartbeatReading =
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat }
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly failure: IoFailure };

/**
 * `future`: from a moment that has not come, as after a clock was set back. It proves as little as a stale one: it would
 * otherwise stay fresh for as long as the clock was wrong (R87).
 */
export type HeartbeatVerdict = 'fresh' | 'stale' | 'future';

/**
 * Never throws, and never brings a deleted state directory back (R88, R89). Not flushed to the disk: after a loss of
 * power its pid and start time are void anyway, and a flush every 15 s would keep disks from sleeping and hold the event
 * loop, whose delay it reports, for as long as a slow disk takes.
 */
export function writeHeartbeat(stateDir: string, heartbeat: Heartbeat): WriteResult {
  return writeFileAtomicSync(file(stateDir), `${JSON.stringify(heartbeat)}\n`, { durable: false });
}

export function readHeartbeat(stateDir: string): HeartbeatReading {
  const reading = readSmallFile(file(stateDir));
  switch (reading.kind) {
    case 'absent':
    case 'unreadable':
      return reading;
    case 'odd':
      return { kind: 'corrupt', detail: reading.detail };
    case 'text': {
      const heartbeat = parseHeartbeat(reading.text);
      return heartbeat === null ? { kind: 'corrupt', detail: 'no heartbeat' } : { kind: 'heartbeat', heartbeat };
    }
    default:
      return reading satisfies never;
  }
}

/**
 * How old a heartbeat is, ms, by the clock that stands still in sleep where it was written in this boot: neither an hour
 * of sleep nor a clock that was set makes a supervisor look silent. Of another boot or machine, by the wall's.
 */
export function heartbeatAgeMs(heartbeat: Heartbeat, clocks: Clocks = clocksNow()): number {
  return steadyAgeMs(heartbeat, clocks) ?? clocks.wall - heartbeat.at;
}

/** By the clock that stands still in sleep; `null` where writer and reader share none. */
export function steadyAgeMs({ clock }: Heartbeat, clocks: Clocks): number | null {
  const shared = clock !== undefined && clock.bootId !== '' && clock.bootId === clocks.bootId;
  return shared && clock.steady <= clocks.steady ? clocks.steady - clock.steady : null;
}

/** `now` in epoch milliseconds. Clocks of two machines may differ by a period. */
export function heartbeatVerdict(heartbeat: Heartbeat, now: number): HeartbeatVerdict {
  const age = now - heartbeat.at;
  if (age < -HEARTBEAT_PERIOD_MS) return 'future';
  return age < HEARTBEAT_STALE_MS ? 'fresh' : 'stale';
}

/** `null` for text that holds no heartbeat. */
export function parseHeartbeat(text: string): Heartbeat | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { pid, startTime, at, uptimeMs, eventLoopDelayMs, memory, services, runs } = value;
  if (!Number.isSafeInteger(pid) || typeof startTime !== 'string' || !Number.isFinite(at)) return null;
  const { heapUsedMb, rssMb } = asObject(memory);
  const counts = Object.entries(asObject(services)).filter((entry): entry is [string, number] => isCount(entry[1]));
  return {
    pid: pid as number,
    startTime,
    at: at as number,
    uptimeMs: asNumber(uptimeMs),
    eventLoopDelayMs: asNumber(eventLoopDelayMs),
    memory: { heapUsedMb: asNumber(heapUsedMb), rssMb: asNumber(rssMb) },
    services: Object.fromEntries(counts),
    runs: Array.isArray(runs) ? runs.filter((run): run is string => typeof run === 'string') : [],
    ...parseClock(value.clock),
  };
}

/** The same place as `heartbeatPath` of `paths.ts`, which loads this file. */
function file(stateDir: string): string {
  return join(stateDir, 'heartbeat.json');
}

function parseClock(value: unknown): { readonly clock?: ClockMark } {
  const { bootId, steady, now } = asObject(value);
  if (typeof bootId !== 'string' || !isCount(steady) || !isCount(now)) return {};
  return { clock: { bootId, steady, now } };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
