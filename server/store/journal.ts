import { join } from 'node:path';
import { AppendFile } from './appendFile.ts';
import type { WriteResult } from './ioFailure.ts';
import { endsTorn, JOURNAL_FILE, lastSequence, rotateJournal } from './journalFiles.ts';
import type { JournalEvent } from './types.ts';

export { JOURNAL_FILE } from './journalFiles.ts';
export { type FollowJournalOptions, followJournal } from './journalFollow.ts';
export { type JournalReading, readJournal } from './journalRead.ts';

export interface JournalOptions {
  /** Pid that every record carries. */
  readonly supervisor?: number;
  /** Size from which the file is rotated, bytes. */
  readonly maxBytes?: number;
  /** How many rotated files are kept. */
  readonly keep?: number;
  /** Told how each write went. What it appends about a failure waits with what could not be written. */
  readonly onWrite?: (result: WriteResult) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Opens the journal in a claimed state directory; sequence numbers go on from the last readable record. Never fails. */
export function openJournal(stateDir: string, options: JournalOptions = {}): Journal {
  return new Journal(stateDir, options);
}

/**
 * The append-only record of everything that happens, `events.jsonl`, with one writer. Every event is in the file when
 * `append` returns, by one write(2) of about 5 µs, whatever it is: the last one before a SIGKILL is the one that
 * matters. It is not flushed to the disk.
 *
 * What cannot be written (disk full) waits in memory, within limits, and is written in order once there is room; what had
 * to be dropped is counted in a `journal_gap`.
 */
export class Journal {
  /** The last line was found torn. It stays where it is, and what is appended begins a line of its own. */
  readonly torn: boolean;
  readonly #folder: string;
  readonly #file: AppendFile;
  readonly #options: JournalOptions;
  #sequence: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #dropped: Gap | null = null;
  #retry: NodeJS.Timeout | null = null;
  #telling = false;
  #rotateAt: number;
  #closed = false;

  constructor(stateDir: string, options: JournalOptions) {
    this.#folder = stateDir;
    this.#file = new AppendFile(join(stateDir, JOURNAL_FILE));
    this.#options = options;
    this.#sequence = safely(() => lastSequence(stateDir), 0);
    this.torn = safely(() => endsTorn(stateDir), false);
    this.#rotateAt = this.#maxBytes;
  }

  /** Number of the last event. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Appends an event; never throws. Objects under `env` and `environment` are reduced to their names. */
  append(event: string, fields: Readonly<Record<string, unknown>> = {}): JournalEvent {
    if (!this.#closed) this.#catchUp();
    const record = this.#record(event, fields);
    if (this.#closed) return record;
    this.#enqueue({ seq: record.seq, line: toLine(record) });
    this.#drain();
    return record;
  }

  /** Writes nothing any more, not even what waits: the files are another's. */
  abandon(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#file.close();
  }

  /** Tries once more to write what waits, and nothing ever after. */
  close(): void {
    if (this.#closed) return;
    this.#drain();
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#file.flush();
    this.#file.close();
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? 4 * 1024 * 1024;
  }

  #record(event: string, fields: Readonly<Record<string, unknown>>): JournalEvent {
    this.#sequence += 1;
    const at = (this.#options.now ?? Date.now)();
    const supervisor = this.#options.supervisor ?? process.pid;
    return { ...withoutValues(fields), seq: this.#sequence, at, supervisor, event };
  }

  /**
   * A second supervisor may have written for the moments that it took this one to see its lock stolen, or to claim a
   * deleted one again: two events never get one number, and none goes into a file that was rotated away meanwhile.
   */
  #catchUp(): void {
    if (!this.#file.hasStrayed) return;
    this.#file.close();
    const last = safely(() => lastSequence(this.#folder), 0);
    this.#sequence = Math.max(this.#sequence, last);
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.line.length;
    // The newest say how things are now; the oldest of those that wait go first.
    while (this.#waiting.length > MOST_WAITING || this.#waitingBytes > MOST_WAITING_BYTES) {
      const oldest = this.#waiting.shift();
      if (oldest === undefined) return;
      this.#waitingBytes -= oldest.line.length;
      this.#dropped = {
        from: this.#dropped?.from ?? oldest.seq,
        to: oldest.seq,
        count: (this.#dropped?.count ?? 0) + 1,
      };
    }
  }

  #drain(): void {
    for (;;) {
      const gap = this.#dropped;
      const next = this.#waiting[0];
      if (next === undefined && gap === null) {
        this.#tell({ ok: true });
        return;
      }
      // The gap stands where the dropped events would have, under the number of the last of them.
      const line = gap === null ? (next?.line ?? '') : this.#gapLine(gap);
      const result = this.#file.append(line);
      if (!result.ok) {
        this.#tryAgainLater();
        this.#tell(result);
        return;
      }
      if (gap !== null) {
        this.#dropped = null;
      } else if (next !== undefined) {
        this.#waiting.shift();
        this.#waitingBytes -= next.line.length;
      }
      this.#rotate();
    }
  }

  #gapLine(gap: Gap): string {
    const at = (this.#options.now ?? Date.now)();
    const supervisor = this.#options.supervisor ?? process.pid;
    const { from, to, count } = gap;
    return toLine({ seq: to, at, supervisor, event: 'journal_gap', from, to, dropped: count });
  }

  #tryAgainLater(): void {
    if (this.#retry !== null || this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#drain();
    }, RETRY_MS);
    this.#retry.unref();
  }

  /** Whoever is told may append, which comes back here. */
  #tell(result: WriteResult): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      this.#options.onWrite?.(result);
    } finally {
      this.#telling = false;
    }
  }

  #rotate(): void {
    if (this.#file.size < this.#rotateAt) return;
    // Windows renames no file that is open.
    this.#file.close();
    const done = rotateJournal(this.#folder, this.#options.keep ?? 3);
    this.#rotateAt = done ? this.#maxBytes : this.#rotateAt + this.#maxBytes / 4;
  }
}

interface Waiting {
  readonly seq: number;
  readonly line: string;
}

interface Gap {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const MOST_WAITING = 1000;
const MOST_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = 1000;
/** A longer record is one that somebody's program has filled; it is said that it was, and its fields are not kept. */
const LONGEST_LINE = 256 * 1024;

function toLine(record: JournalEvent): string {
  const { seq, at, supervisor, event } = record;
  const bare = { seq, at, supervisor, event };
  try {
    const line = JSON.stringify({ ...bare, ...record });
    if (line.length <= LONGEST_LINE) return line;
    return JSON.stringify({ ...bare, unrecorded: `${line.length} characters of fields` });
  } catch (error) {
    // A field that holds itself, or a BigInt.
    return JSON.stringify({ ...bare, unrecorded: (error as Error).message });
  }
}

/** Values of variables are secrets as often as not; the journal is read by many. */
function withoutValues(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = { ...fields };
  for (const name of ['env', 'environment']) {
    const value = kept[name];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) kept[name] = Object.keys(value);
  }
  return kept;
}

function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
