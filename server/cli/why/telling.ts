/** What is remembered while the journal is walked through: the moments so far, and which of them causes what. */
import type { JournalFields } from '../journalFields.ts';
import type { Moment } from './types.ts';

/** Whose story it is. */
export interface Subject {
  readonly name: string;
  /** Whether a request for `names` (none: everything) reaches it, by itself or through what depends on it. */
  readonly isMeant: (verb: string, names: readonly string[]) => boolean;
}

/** One start and what became of it. */
export interface Life {
  readonly incarnation: number | null;
  /** Who started it, or took it over. */
  supervisor: number;
  pid: number | null;
  outputOffset: number | null;
  ranMs: number | null;
  waitedMs: number | null;
  /** How it ended; what two lives must share to be told as one. */
  end: string | null;
  /** Why it was stopped; `null` when it ended by itself, or runs. */
  stopped: string | null;
  /** Of a start that came to nothing, what was said and the word for programs. */
  notStarted: { readonly message: string; readonly reason: string | null } | null;
}

export interface Told extends Omit<Moment, 'until' | 'times'> {
  /** Number of the life that it belongs to. */
  readonly life: number | null;
}

export type ToldState =
  | 'unknown'
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'degraded'
  | 'stopping'
  | 'stopped'
  | 'backoff'
  | 'failed'
  | 'completed'
  /** Of tasks. */
  | 'ended';

export class Telling {
  readonly subject: Subject;
  readonly now: number;
  readonly moments: Told[] = [];
  readonly lives: Life[] = [];
  /** Moments of the newest life, by what they can be the cause of. */
  spawned: Told | null = null;
  ready: Told | null = null;
  trouble: Told | null = null;
  stopping: Told | null = null;
  ended: Told | null = null;
  /** What the next start, stop or reset would be due to. */
  startCause: Told | null = null;
  stopCause: Told | null = null;
  resetCause: Told | null = null;
  /** The last change of supervisors that was no orderly one. */
  takeover: Told | null = null;
  /** What was found of this life instead of a process that runs. */
  found: Told | null = null;
  state: ToldState = 'unknown';
  /** Number of the moment that made the state what it is. */
  last: number | null = null;
  waitsFor: readonly string[] = [];
  gaps = 0;

  constructor(subject: Subject, now: number) {
    this.subject = subject;
    this.now = now;
  }

  get life(): Life | null {
    return this.lives.at(-1) ?? null;
  }

  /** Nothing of it runs, as far as was told. */
  get rests(): boolean {
    return this.life === null || this.ended !== null;
  }

  /** What runs, or ran last: the moment from which on it did. */
  get running(): Told | null {
    return this.ready ?? this.spawned;
  }

  open(fields: JournalFields): Life {
    const life: Life = {
      incarnation: fields.number('incarnation'),
      supervisor: fields.event.supervisor,
      pid: fields.number('pid'),
      outputOffset: fields.number('outputOffset'),
      ranMs: null,
      waitedMs: null,
      end: null,
      stopped: null,
      notStarted: null,
    };
    this.lives.push(life);
    this.found = null;
    this.spawned = null;
    this.ready = null;
    this.trouble = null;
    this.stopping = null;
    this.ended = null;
    return life;
  }

  become(state: ToldState, told: Told): Told {
    this.state = state;
    this.last = told.id;
    return told;
  }

  tell(fields: JournalFields, kind: Moment['kind'], text: string, cause: Told | null): Told {
    const { seq, at } = fields.event;
    const isOfLife = LIFE_KINDS.has(kind) && this.lives.length > 0;
    const told: Told = {
      id: seq,
      at,
      kind,
      text,
      tone: toneOf(fields, kind),
      causedBy: cause === null ? null : cause.id,
      life: isOfLife ? this.lives.length - 1 : null,
    };
    this.moments.push(told);
    return told;
  }

  /** The cause is learnt afterwards. */
  relink(moment: Told, causedBy: Told): void {
    const at = this.moments.findIndex((one) => one.id === moment.id);
    if (at !== -1) this.moments[at] = { ...moment, causedBy: causedBy.id };
  }
}

const LIFE_KINDS: ReadonlySet<Moment['kind']> = new Set([
  'spawn',
  'ready',
  'trouble',
  'stopping',
  'exit',
  'reaped',
  'backoff',
]);

function toneOf(fields: JournalFields, kind: Moment['kind']): Moment['tone'] {
  switch (kind) {
    case 'ready':
      return 'good';
    case 'failed':
      return 'bad';
    case 'trouble':
    case 'backoff':
      return 'warn';
    case 'exit':
      return fields.text('likelyCause') === 'requested_stop' || fields.text('likelyCause') === 'clean_exit'
        ? 'plain'
        : 'bad';
    case 'reaped':
      return fields.count('survivors') > 0 ? 'bad' : 'warn';
    case 'task':
      return fields.text('state') === 'succeeded' ? 'good' : fields.text('state') === null ? 'plain' : 'bad';
    case 'request':
    case 'configuration':
    case 'supervisor':
    case 'waiting':
    case 'spawn':
    case 'stopping':
    case 'reset':
    case 'adopted':
    case 'repeat':
    case 'other':
      return 'plain';
    default:
      return kind satisfies never;
  }
}
