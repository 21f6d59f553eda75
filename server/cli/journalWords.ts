/** Lines of the journal for people. Pure. */
import type { JournalEvent } from '../store/types.ts';
import { formatDuration } from '../text/units.ts';
import { count } from './proof.ts';
import type { Paint } from './terminal.ts';
import { oneLine } from './width.ts';

/** `2026-01-31 12:30:05  web  ready (incarnation 2, after 1.2s)`; `now` decides whether the day is told. */
export function eventLine(event: JournalEvent, now: number): string {
  const name = typeof event.name === 'string' ? event.name : 'supervisor';
  return `${timeWord(event.at, now)}  ${oneLine(name)}  ${oneLine(eventWords(event))}`;
}

export function eventPaint(event: JournalEvent): Paint | null {
  switch (event.event) {
    case 'breaker_open':
    case 'spawn_failed':
    case 'lock_lost':
      return 'red';
    case 'backoff':
    case 'health_warn':
      return 'yellow';
    case 'service_ready':
      return 'green';
    default:
      return null;
  }
}

function eventWords(event: JournalEvent): string {
  const text = (field: string): string => String(event[field] ?? '?');
  const time = (field: string): string => (typeof event[field] === 'number' ? formatDuration(event[field]) : '?');
  switch (event.event) {
    case 'supervisor_started':
      return `started, pid ${event.supervisor}`;
    case 'supervisor_stopping':
      return `stopping${event.reason === undefined ? '' : ` (${text('reason')})`}`;
    case 'supervisor_stopped':
      return 'stopped';
    case 'lock_lost':
      return `lost the lock of the workspace${rest(event)}`;
    case 'service_spawned':
      return `started, pid ${text('pid')}, incarnation ${text('incarnation')}`;
    case 'spawn_failed':
      return `could not be started (crash ${text('crashes')}): ${text('message')}`;
    case 'service_ready':
      return `ready after ${time('startupMs')}, incarnation ${text('incarnation')}`;
    case 'service_exited': {
      const how = event.signal === null || event.signal === undefined ? `code ${text('code')}` : text('signal');
      return `ended with ${how} after ${time('runDurationMs')}: ${text('likelyCause')}${event.crashes === 0 ? '' : `, crashes ${text('crashes')}`}`;
    }
    case 'backoff':
      return `starts again in ${time('ms')} (${text('reason')}, crashes ${text('crashes')})`;
    case 'health_warn':
      return `warning: ${text('reason')}${event.detail === undefined ? '' : `, ${text('detail')}`}`;
    case 'breaker_open':
      return `failed: ${text('text')}`;
    case 'breaker_reset':
      return 'reset';
    case 'tree_reaped':
      return `tree ended: ${reapedWords(event)}`;
    case 'environment_cleaned':
      return `not handed on: ${list(event.removed)}`;
    case 'adopted':
      return `adopted, incarnation ${text('incarnation')}`;
    case 'reconciled':
      return `found by a new supervisor: ${text('verdict')}`;
    case 'session_reaped':
      return `session ${event.session === null ? 'without a client' : text('session')} ended: ${list(event.trees)}`;
    case 'run_started':
      return `run ${text('run')} started: ${list(event.tasks)}`;
    case 'task_started':
      return `task started, run ${text('run')}`;
    case 'task_finished':
      return `task ${text('state')}, run ${text('run')}`;
    case 'run_finished':
      return `run ${text('run')} ${text('state')}`;
    default:
      return `${event.event}${rest(event)}`;
  }
}

function list(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? value.map(String).join(', ') : 'nothing';
}

/** `confirmed` and `survivors` are counts or lists. */
function reapedWords(event: JournalEvent): string {
  const number = (value: unknown): number => (Array.isArray(value) ? value.length : Number(value ?? 0));
  const gone = count(number(event.confirmed), 'process', 'processes');
  const left = number(event.survivors);
  return `${gone} confirmed gone${left === 0 ? '' : `, ${left} STILL THERE`}`;
}

/** Fields of an event without words of its own, as they are. */
function rest(event: JournalEvent): string {
  const told = new Set(['seq', 'at', 'supervisor', 'event', 'name']);
  const fields = Object.entries(event).filter(([field]) => !told.has(field));
  return fields
    .map(([field, value]) => ` ${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
}

function timeWord(at: number, now: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (new Date(now).toDateString() === date.toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
