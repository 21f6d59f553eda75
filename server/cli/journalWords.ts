/** Lines of the journal for people. Pure. */
import { isJournalEventName, type JournalEventName } from '../store/journalEvents.ts';
import type { JournalEvent } from '../store/types.ts';
import { formatDuration } from '../text/units.ts';
import { timeWord } from './clock.ts';
import { JournalFields, shown } from './journalFields.ts';
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
    case 'service_failed':
    case 'spawn_failed':
    case 'supervisor_fault':
    case 'lock_lost':
      return 'red';
    case 'backoff':
    case 'health_warn':
    case 'state_set_aside':
    case 'journal_gap':
    case 'guardian_lost':
      return 'yellow';
    case 'service_ready':
    case 'health_ok':
      return 'green';
    default:
      return null;
  }
}

/** What happened, in words; an event of another version is shown with its fields, as they are. */
export function eventWords(event: JournalEvent): string {
  const fields = new JournalFields(event);
  return isJournalEventName(event.event) ? knownWords(fields, event.event) : `${oneLine(event.event)}${rest(event)}`;
}

function knownWords(fields: JournalFields, name: JournalEventName): string {
  const text = (field: string): string => fields.shown(field);
  const time = (field: string): string => formatSpan(fields.number(field));
  switch (name) {
    case 'supervisor_started':
      return `started, pid ${fields.event.supervisor}${(fields.number('losses') ?? 0) > 0 ? ', by the guardian of one that was lost' : ''}`;
    case 'supervisor_stopping':
      return `stopping (${[fields.text('why'), fields.text('by')].filter((one) => one !== null).join(', by ') || '?'})`;
    case 'supervisor_stopped':
      return fields.number('code') === null ? 'stopped' : `stopped, exit code ${fields.number('code')}`;
    case 'supervisor_fault':
      return `a fault of its own (${text('fault')}): ${text('message')}`;
    case 'guardian_lost':
      return `its guardian (pid ${text('pid')}) was lost (${fields.text('signal') ?? `code ${text('code')}`}), another one follows${(fields.number('delayMs') ?? 0) === 0 ? '' : ` after ${time('delayMs')}`}`;
    case 'lock_lost': {
      const holder = fields.number('pid');
      return `lost the lock of the workspace${holder === null ? '' : ` to pid ${holder} on ${text('host')}`}`;
    }
    case 'lock_reclaimed':
      return fields.isTrue('ok')
        ? 'the lock of the workspace was deleted, and is claimed again'
        : 'the lock of the workspace was deleted, and cannot be claimed again';
    case 'requested':
      return requestWords(fields);
    case 'configuration_changed':
      return `the configuration has changed: ${changeWords(fields)}`;
    case 'configuration_applied':
      return `the changed configuration is in force`;
    case 'configuration_rejected':
      return `the configuration is wrong, the old one stays in force: ${fields.text('place') === null ? '' : `${text('place')}: `}${text('first')}`;
    case 'service_waiting':
      return text('text');
    case 'service_spawned':
      return `started, pid ${text('pid')}, incarnation ${text('incarnation')}`;
    case 'spawn_failed':
      return `could not be started (crash ${text('crashes')}): ${text('message')}`;
    case 'service_ready':
      return `ready after ${time('startupMs')}, incarnation ${text('incarnation')}`;
    case 'service_stopping':
      return `asked to end (${text('reason').replaceAll('_', ' ')})`;
    case 'service_exited': {
      const how = fields.text('signal') ?? `code ${text('code')}`;
      const crashes = fields.number('crashes') ?? 0;
      return `ended with ${how} after ${time('runDurationMs')}: ${text('likelyCause')}${crashes === 0 ? '' : `, crashes ${crashes}`}`;
    }
    case 'backoff':
      return `starts again in ${time('ms')} (${text('reason')}, crashes ${text('crashes')})`;
    case 'health_warn':
      return `warning: ${text('reason')}${fields.text('detail') === null ? '' : `, ${fields.text('detail')}`}`;
    case 'health_recovered':
      return `${text('file')} can be written again, after ${time('failedMs')} (${text('code')})`;
    case 'health_ok':
      return 'well again';
    case 'breaker_open':
    case 'service_failed':
      return `failed: ${text('text')}`;
    case 'breaker_reset':
      return 'reset';
    case 'tree_reaped':
      return `tree ended: ${reapedWords(fields)}`;
    case 'environment_cleaned':
      return `not handed on: ${list(fields.texts('removed'))}`;
    case 'adopted':
      return `adopted, pid ${text('pid')}, incarnation ${text('incarnation')}`;
    case 'reconciled':
      return verdictWords(fields);
    case 'session_over':
      return `session ${text('session')} is over (${text('why').replaceAll('_', ' ')}): ${list(fields.texts('owns'))}`;
    case 'session_reaped':
      return sessionWords(fields);
    case 'state_set_aside': {
      const aside = fields.text('aside');
      return `${text('path')} could not be understood (${text('kind').replaceAll('_', ' ')})${aside === null ? '' : `, kept as ${aside}`}`;
    }
    case 'journal_gap':
      return `${text('dropped')} events (${text('from')} to ${text('to')}) could not be written`;
    case 'run_started':
      return `run ${text('run')} started: ${list(fields.texts('tasks'))}`;
    case 'task_started':
      return `task started, run ${text('run')}`;
    case 'task_retried':
      return `attempt ${text('attempt')} of ${text('attempts')}, run ${text('run')}`;
    case 'task_finished': {
      const detail = fields.text('detail');
      return `task ${text('state').replaceAll('_', ' ')}${detail === null ? '' : ` (${detail})`}, run ${text('run')}`;
    }
    case 'run_finished':
      return `run ${text('run')} ${text('state')}`;
    case 'exec_started': {
      const session = fields.text('session');
      return `command ${text('program')} started, pid ${text('pid')}${session === null ? '' : `, session ${session}`}`;
    }
    case 'exec_stopping':
      return `asked to end (${text('reason').replaceAll('_', ' ')})`;
    case 'exec_ended':
      return `ended with ${fields.text('signal') ?? `code ${text('code')}`} after ${time('runDurationMs')}`;
    default:
      return name satisfies never;
  }
}

function requestWords(fields: JournalFields): string {
  const names = fields.texts('names');
  const session = fields.text('session');
  const what = `${fields.shown('verb')}${names.length === 0 ? '' : ` ${names.join(', ')}`}${session === null ? '' : ` --session ${session}`}`;
  const by = fields.object('by');
  if (by === null) return `asked for ${what}`;
  const own = by.text('session');
  return `asked for ${what}, by ${by.shown('kind')} pid ${by.shown('pid')}${own === null ? '' : `, session ${own}`}`;
}

function changeWords(fields: JournalFields): string {
  const parts = (['added', 'removed', 'changed', 'retuned'] as const).flatMap((field) => {
    const entries = fields.objects(field).map((one) => `${one.shown('name')} (${list(one.texts('fields'))})`);
    const names = [...fields.texts(field), ...entries];
    return names.length === 0 ? [] : [`${field} ${names.join(', ')}`];
  });
  return parts.length === 0 ? '?' : parts.join('; ');
}

function formatSpan(milliseconds: number | null): string {
  return milliseconds === null ? '?' : formatDuration(milliseconds);
}

function list(names: readonly string[]): string {
  return names.length > 0 ? names.join(', ') : 'nothing';
}

/** `confirmed` and `survivors` are counts or lists. */
function reapedWords(fields: JournalFields): string {
  const gone = count(fields.count('confirmed'), 'process', 'processes');
  const left = fields.count('survivors');
  const killed = fields.isTrue('killed') && fields.text('stopSignal') !== null;
  const late = killed ? `, killed after ${formatSpan(fields.number('stopTimeoutMs'))}` : '';
  return `${gone} confirmed gone${late}${left === 0 ? '' : `, ${left} STILL THERE`}`;
}

function verdictWords(fields: JournalFields): string {
  switch (fields.text('verdict')) {
    case 'alive':
      return 'found running';
    case 'finished':
      return 'found ended; its exit record says how';
    case 'dead':
      return 'found gone, without an exit record';
    case 'presumed_alive':
      return 'cannot be looked at from here, and is left alone';
    case 'unrecorded':
      return `found running on no record, pid ${fields.shown('pid')}`;
    default:
      return `found to be ${fields.shown('verdict')}`;
  }
}

/** What became of the things of a session, and why it was over. */
function sessionWords(fields: JournalFields): string {
  const why = fields.text('why') === 'lease_over' ? 'was gone for its whole grace' : 'was reaped';
  const on = fields.objects('handedOver').map((one) => `${one.shown('name')} belongs to ${one.shown('to')} now`);
  const ended = `session ${fields.shown('session')} ${why}: ${list(fields.texts('trees'))} ended, ${reapedWords(fields)}`;
  return [ended, ...on].join('; ');
}

/** Fields of an event without words of its own, as they are. */
function rest(event: JournalEvent): string {
  const told = new Set(['seq', 'at', 'supervisor', 'event', 'name']);
  const fields = Object.entries(event).filter(([field]) => !told.has(field));
  return fields.map(([field, value]) => ` ${oneLine(field)}=${shown(value)}`).join('');
}
