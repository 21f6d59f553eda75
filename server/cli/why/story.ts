import { isJournalEventName, type JournalEventName } from '../../store/journalEvents.ts';
import type { JournalEvent } from '../../store/types.ts';
import { timeWord } from '../clock.ts';
import { JournalFields } from '../journalFields.ts';
import { eventWords } from '../journalWords.ts';
import { tellOwn } from './ownEvents.ts';
import { configurationText, requesterText, supervisorEndText } from './sentences.ts';
import { type Life, type Subject, Telling, type Told, type ToldState } from './telling.ts';

export type { Life, Subject, Told, ToldState } from './telling.ts';

export interface Story {
  readonly moments: readonly Told[];
  readonly lives: readonly Life[];
  readonly state: ToldState;
  /** Number of the moment that made the state what it is. */
  readonly last: number | null;
  /** Names that it waited for last. */
  readonly waitsFor: readonly string[];
  /** How often the journal says that events could not be written. */
  readonly gaps: number;
}

/** Walks through the journal once and links what happened to one entry, each event to what brought it about. */
export function tellStory(events: readonly JournalEvent[], subject: Subject, now: number): Story {
  const teller = new Teller(new Telling(subject, now));
  for (const event of events) teller.hear(new JournalFields(event));
  const { moments, lives, state, last, waitsFor, gaps } = teller.telling;
  return { moments, lives, state, last, waitsFor, gaps };
}

/** Events of the whole workspace; those that name the entry are handed on. */
class Teller {
  readonly telling: Telling;
  #supervisor: { readonly pid: number; seenAt: number; ended: boolean; fault: string | null } | null = null;
  /** Terminals in which `coppice up` was called. */
  readonly #ups = new Set<number>();
  #reap: JournalFields | null = null;

  constructor(telling: Telling) {
    this.telling = telling;
  }

  hear(fields: JournalFields): void {
    const { event, supervisor, at } = fields.event;
    if (isJournalEventName(event)) this.#known(fields, event);
    else if (this.#isMine(fields)) this.telling.tell(fields, 'other', eventWords(fields.event), this.telling.running);
    if (this.#supervisor?.pid !== supervisor)
      this.#supervisor = { pid: supervisor, seenAt: at, ended: false, fault: null };
    this.#supervisor.seenAt = at;
    if (event === 'supervisor_stopped') this.#supervisor.ended = true;
    if (event === 'supervisor_fault') this.#supervisor.fault = fields.text('message') ?? '?';
  }

  #isMine(fields: JournalFields): boolean {
    return fields.event.name === this.telling.subject.name;
  }

  #known(fields: JournalFields, name: JournalEventName): void {
    switch (name) {
      case 'supervisor_started':
        this.#supervisorStarted(fields);
        return;
      case 'supervisor_stopping':
        this.#supervisorStopping(fields);
        return;
      case 'requested':
        this.#requested(fields);
        return;
      case 'configuration_changed':
        this.#configurationChanged(fields);
        return;
      case 'session_over':
        this.#sessionOver(fields);
        return;
      case 'session_reaped':
        this.#sessionReaped(fields);
        return;
      case 'run_started':
        this.#runStarted(fields);
        return;
      case 'journal_gap':
        this.telling.gaps += 1;
        return;
      case 'service_waiting':
      case 'service_spawned':
      case 'spawn_failed':
      case 'service_ready':
      case 'service_stopping':
      case 'service_exited':
      case 'backoff':
      case 'health_warn':
      case 'health_ok':
      case 'breaker_open':
      case 'service_failed':
      case 'breaker_reset':
      case 'tree_reaped':
      case 'adopted':
      case 'reconciled':
      case 'task_started':
      case 'task_retried':
      case 'task_finished':
      case 'exec_started':
      case 'exec_stopping':
      case 'exec_ended':
        if (this.#isMine(fields)) tellOwn(this.telling, fields, name);
        return;
      case 'supervisor_stopped':
      case 'supervisor_fault':
      case 'guardian_lost':
      case 'lock_lost':
      case 'lock_reclaimed':
      case 'configuration_applied':
      case 'configuration_rejected':
      case 'environment_cleaned':
      case 'health_recovered':
      case 'state_set_aside':
      case 'run_finished':
        return;
      default:
        name satisfies never;
    }
  }

  #supervisorStarted(fields: JournalFields): void {
    const { telling } = this;
    const before = this.#supervisor;
    const { supervisor: pid } = fields.event;
    if (before === null || before.ended || before.pid === pid) return;
    const sign = timeWord(before.seenAt, telling.now);
    const how = (fields.number('losses') ?? 0) > 0 ? ', started by its guardian,' : '';
    const end =
      before.fault === null
        ? `was lost (its last entry is of ${sign})`
        : `ended itself at ${sign} after a fault (${before.fault})`;
    const text = `supervisor ${before.pid} ${end}; supervisor ${pid}${how} took its place`;
    telling.takeover = telling.tell(fields, 'supervisor', text, telling.rests ? telling.startCause : telling.running);
    // Whatever starts next was wanted before, and is started by the successor.
    if (!telling.rests || telling.startCause !== null) telling.startCause = telling.takeover;
  }

  #supervisorStopping(fields: JournalFields): void {
    const { telling } = this;
    if (fields.text('by') === 'client' && telling.stopCause !== null) return;
    telling.stopCause = telling.tell(fields, 'supervisor', supervisorEndText(fields), null);
  }

  #requested(fields: JournalFields): void {
    const { telling } = this;
    const verb = fields.text('verb') ?? '';
    const pid = fields.object('by')?.number('pid') ?? null;
    if (verb === 'up' && pid !== null) this.#ups.add(pid);
    // Whose things it ends is written down next.
    if (verb === 'reap') this.#reap = fields;
    if (!telling.subject.isMeant(verb, fields.texts('names'))) return;
    const isEnd = (verb === 'down' || verb === 'stop') && pid !== null && this.#ups.has(pid);
    const tell = (): Told => telling.tell(fields, 'request', requesterText(fields, isEnd), null);
    switch (verb) {
      case 'up':
      case 'start':
        // One that runs already is asked for again by every client that comes.
        if (telling.rests && telling.state !== 'backoff' && telling.state !== 'failed') telling.startCause = tell();
        return;
      case 'stop':
      case 'down':
      case 'execStop':
        telling.stopCause = tell();
        if (telling.state === 'waiting' || telling.state === 'backoff') telling.become('stopped', telling.stopCause);
        return;
      case 'restart':
        telling.startCause = tell();
        telling.stopCause = telling.startCause;
        return;
      case 'reset':
        telling.resetCause = tell();
        return;
      default:
        return;
    }
  }

  #configurationChanged(fields: JournalFields): void {
    const { telling } = this;
    const { name } = telling.subject;
    const isIn = (list: string): boolean => fields.objects(list).some((one) => one.text('name') === name);
    const changed = isIn('changed');
    const added = fields.texts('added').includes(name);
    const removed = fields.texts('removed').includes(name);
    if (!changed && !added && !removed && !isIn('retuned')) return;
    const told = telling.tell(fields, 'configuration', configurationText(fields, name), null);
    if (changed || added) telling.startCause = told;
    if (changed || removed) telling.stopCause = told;
  }

  #sessionOver(fields: JournalFields): void {
    const { telling } = this;
    if (!fields.texts('owns').includes(telling.subject.name)) return;
    const session = fields.text('session') ?? '?';
    const text =
      fields.text('why') === 'lease_over'
        ? `session ${session}, which it belonged to, was gone for its whole grace`
        : `session ${session}, which it belonged to, was ended`;
    const isAsked = this.#reap?.text('session') === session;
    const cause =
      this.#reap !== null && isAsked
        ? telling.tell(this.#reap, 'request', requesterText(this.#reap, false), null)
        : null;
    telling.stopCause = telling.tell(fields, 'request', text, cause);
  }

  /** Its trees have ended by the time it is written down, so their end is linked to it afterwards. */
  #sessionReaped(fields: JournalFields): void {
    const { telling } = this;
    const { stopping, stopCause } = telling;
    if (!fields.texts('trees').includes(telling.subject.name) || stopping === null || stopCause !== null) return;
    const session = fields.text('session');
    const text = session === null ? 'the session that it belonged to was over' : `session ${session} was over`;
    telling.relink(stopping, telling.tell(fields, 'request', text, null));
  }

  #runStarted(fields: JournalFields): void {
    const { telling } = this;
    if (!fields.texts('tasks').includes(telling.subject.name)) return;
    const text = `run ${fields.text('run') ?? '?'} began`;
    telling.startCause = telling.become('waiting', telling.tell(fields, 'task', text, telling.startCause));
  }
}
