/** Events that name the entry whose story is told. */
import type { JournalFields } from '../journalFields.ts';
import {
  backoffText,
  commandText,
  exitText,
  exitWords,
  failedText,
  launchText,
  readyText,
  reapedText,
  reconciledText,
  retryText,
  spawnedText,
  stoppingText,
  taskEndText,
  troubleText,
} from './sentences.ts';
import type { Telling } from './telling.ts';

export type OwnEvent =
  | 'service_waiting'
  | 'service_spawned'
  | 'spawn_failed'
  | 'service_ready'
  | 'service_stopping'
  | 'service_exited'
  | 'backoff'
  | 'health_warn'
  | 'health_ok'
  | 'breaker_open'
  | 'service_failed'
  | 'breaker_reset'
  | 'tree_reaped'
  | 'adopted'
  | 'reconciled'
  | 'task_started'
  | 'task_retried'
  | 'task_finished'
  | 'exec_started'
  | 'exec_stopping'
  | 'exec_ended';

export function tellOwn(telling: Telling, fields: JournalFields, name: OwnEvent): void {
  switch (name) {
    case 'service_waiting': {
      const text = fields.text('text') ?? 'waits for what it depends on';
      telling.waitsFor = fields.texts('on');
      telling.startCause = telling.become('waiting', telling.tell(fields, 'waiting', text, telling.startCause));
      return;
    }
    case 'service_spawned':
      begin(telling, fields, spawnedText(fields));
      return;
    case 'task_started':
      begin(telling, fields, 'started');
      return;
    case 'spawn_failed':
      notStarted(telling, fields);
      return;
    case 'service_ready':
      telling.ready = telling.become('ready', telling.tell(fields, 'ready', readyText(fields), telling.spawned));
      return;
    case 'health_warn':
      telling.trouble = telling.tell(fields, 'trouble', troubleText(fields), telling.trouble ?? telling.running);
      if (telling.state === 'ready') telling.become('degraded', telling.trouble);
      return;
    // What runs well again is due to its start, as before.
    case 'health_ok':
      telling.trouble = null;
      if (telling.running !== null) telling.become('ready', telling.running);
      return;
    case 'service_stopping':
      stops(telling, fields);
      return;
    case 'service_exited':
      exited(telling, fields);
      return;
    case 'tree_reaped': {
      const text = reapedText(fields);
      if (text === null) return;
      const told = telling.tell(fields, 'reaped', text, telling.stopping ?? telling.ended ?? telling.spawned);
      telling.ended ??= told;
      return;
    }
    case 'backoff': {
      if (telling.life !== null) telling.life.waitedMs = fields.number('ms');
      const told = telling.tell(fields, 'backoff', backoffText(fields), telling.ended ?? telling.stopping);
      telling.startCause = telling.become('backoff', told);
      return;
    }
    case 'breaker_open':
    case 'service_failed':
      telling.become('failed', telling.tell(fields, 'failed', failedText(fields), telling.ended ?? telling.stopping));
      return;
    case 'breaker_reset': {
      const told = telling.tell(fields, 'reset', 'was reset: it may start again', telling.resetCause);
      telling.startCause = telling.become('stopped', told);
      return;
    }
    case 'adopted':
      adopted(telling, fields);
      return;
    case 'reconciled': {
      const isOwn = telling.life?.supervisor === fields.event.supervisor;
      const text = reconciledText(fields, isOwn);
      telling.found =
        text === null ? null : telling.tell(fields, 'supervisor', text, isOwn ? telling.running : telling.takeover);
      if (telling.found === null) return;
      telling.startCause = telling.found;
      telling.stopCause = telling.found;
      return;
    }
    case 'exec_started':
      begin(telling, fields, commandText(fields));
      return;
    case 'exec_stopping':
      stops(telling, fields);
      return;
    case 'exec_ended': {
      if (telling.life !== null) telling.life.end = exitWords(fields);
      const isAsked = telling.stopping !== null;
      const told = telling.tell(fields, 'exit', exitText(fields, isAsked), telling.stopping ?? telling.spawned);
      telling.ended = telling.become('ended', told);
      return;
    }
    case 'task_retried':
      telling.trouble = telling.tell(fields, 'trouble', retryText(fields), telling.trouble ?? telling.spawned);
      return;
    case 'task_finished':
      if (telling.life !== null) telling.life.end = exitWords(fields);
      telling.ended = telling.become(
        'ended',
        telling.tell(fields, 'task', taskEndText(fields), telling.trouble ?? telling.spawned ?? telling.startCause),
      );
      return;
    default:
      name satisfies never;
  }
}

function begin(telling: Telling, fields: JournalFields, text: string): void {
  const cause = telling.startCause;
  telling.open(fields);
  telling.spawned = telling.become('starting', telling.tell(fields, 'spawn', text, cause));
  telling.startCause = null;
  telling.stopCause = null;
}

function notStarted(telling: Telling, fields: JournalFields): void {
  const message = launchText(fields.text('message') ?? 'no reason is known');
  const life = telling.open(fields);
  life.notStarted = { message, reason: fields.text('reason') };
  life.end = `not started: ${message.replace(/[\d.]+(?:[a-z]+\b)?(?: [\d.]+[a-z]+\b)?/g, '#')}`;
  telling.ended = telling.tell(fields, 'exit', `could not be started: ${message}`, telling.startCause);
  telling.startCause = telling.become('stopped', telling.ended);
}

function stops(telling: Telling, fields: JournalFields): void {
  const reason = fields.text('reason');
  const byRequest = reason === 'stop' || reason === 'restart' ? telling.stopCause : null;
  const byTakeover = reason === 'taken_over' ? telling.takeover : null;
  const cause = byRequest ?? byTakeover ?? telling.trouble ?? telling.running;
  if (telling.life !== null) telling.life.stopped = reason ?? 'asked';
  telling.stopping = telling.become('stopping', telling.tell(fields, 'stopping', stoppingText(reason), cause));
}

function exited(telling: Telling, fields: JournalFields): void {
  const { life } = telling;
  const likelyCause = fields.text('likelyCause');
  const isAsked = telling.stopping !== null || likelyCause === 'requested_stop';
  if (life !== null) {
    life.ranMs = fields.number('runDurationMs');
    life.end = `${exitWords(fields)} ${likelyCause ?? ''}`;
  }
  const cause =
    telling.stopping ?? (isAsked ? telling.stopCause : null) ?? telling.found ?? telling.trouble ?? telling.running;
  const told = telling.tell(fields, 'exit', exitText(fields, isAsked), cause);
  telling.ended = told;
  // What the policy itself wants started again has its cause in this end; else a request gave one, or none follows.
  if (life?.stopped === 'wedged' || life?.stopped === 'memory_drain') telling.startCause = told;
  telling.become(!isAsked && likelyCause === 'clean_exit' ? 'completed' : 'stopped', told);
}

/** What it was before goes on: the loss of its supervisor is part of its story, and not its beginning. */
function adopted(telling: Telling, fields: JournalFields): void {
  const { found } = telling;
  const life = telling.life === null || telling.ended !== null ? telling.open(fields) : telling.life;
  telling.found = found;
  const pid = fields.number('pid') ?? life.pid;
  life.pid = pid;
  life.supervisor = fields.event.supervisor;
  const process = pid === null ? '' : `, pid ${pid}`;
  const { supervisor } = fields.event;
  const text =
    telling.found === null
      ? `went on as the same process${process}, under supervisor ${supervisor}`
      : `its end was taken over by supervisor ${supervisor}`;
  const told = telling.tell(fields, 'adopted', text, telling.takeover);
  const wasReady = telling.ready !== null;
  if (wasReady) telling.ready = told;
  else telling.spawned = told;
  if (telling.found === null) telling.become(wasReady ? 'ready' : 'starting', told);
}
