import { closeSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OutputChanges } from '../process/output/outputChanges.ts';
import { isMissing } from './ioFailure.ts';
import { JOURNAL_FILE, type JournalFile, openJournalFiles, parseEvent } from './journalFiles.ts';
import type { JournalEvent } from './types.ts';

export interface FollowJournalOptions {
  /** Events after this number come first; `Infinity`: only those written from now on. */
  readonly sinceSeq?: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: JournalEvent) => void;
  /** A line that is no record, or events that are missing because files went before they could be read. */
  readonly onGap?: (gap: JournalGap) => void;
}

export type JournalGap =
  | { readonly kind: 'unreadable_line' }
  | { readonly kind: 'missing'; readonly from: number; readonly to: number };

/**
 * Hands over every event as it comes, each once and in order, across rotations and changes of supervisor. Waits for a
 * journal that is not there yet. Resolves when `signal` is aborted; rejects when the journal cannot be read.
 */
export async function followJournal(stateDir: string, options: FollowJournalOptions): Promise<void> {
  const { signal } = options;
  const path = join(stateDir, JOURNAL_FILE);
  const changes = new OutputChanges(path);
  const stop = (): void => changes.wake();
  signal.addEventListener('abort', stop, { once: true });
  const follower = new Follower(stateDir, options);
  try {
    while (!signal.aborted) {
      const grown = follower.read();
      if (signal.aborted) return;
      if (grown) changes.grown();
      await changes.wait();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    changes.close();
    follower.close();
  }
}

class Follower {
  readonly #folder: string;
  readonly #options: FollowJournalOptions;
  #file: JournalFile | null = null;
  #offset = 0;
  #rest = Buffer.alloc(0);
  #last: number;
  /** Nothing was handed over yet, so what is missing before the first is not known. */
  #first = true;
  /** Beginning at the end: what is there already is passed over. */
  #passing: boolean;

  constructor(folder: string, options: FollowJournalOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#passing = options.sinceSeq === Number.POSITIVE_INFINITY;
    this.#last = this.#passing ? 0 : (options.sinceSeq ?? 0);
  }

  /** Reads what is new; true when there was something. */
  read(): boolean {
    let grown = this.#file !== null && this.#readFile(this.#file);
    if (this.#file === null || !this.#isCurrent(this.#file)) grown = this.#moveOn() || grown;
    this.#passing = false;
    return grown;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file.fd);
    this.#file = null;
  }

  #isCurrent(file: JournalFile): boolean {
    try {
      return statSync(join(this.#folder, JOURNAL_FILE), { bigint: true }).ino === file.inode;
    } catch (error) {
      // Between the renames of a rotation, or gone with the state directory: what is held can still be read.
      if (isMissing(error)) return true;
      throw error;
    }
  }

  /** The file was rotated (perhaps more than once) or replaced: reads on in those that came after it. */
  #moveOn(): boolean {
    const files = openJournalFiles(this.#folder);
    const held = this.#file;
    const at = held === null ? -1 : files.findIndex((file) => file.inode === held.inode);
    const next = files.slice(at + 1);
    for (const file of files.slice(0, at + 1)) closeSync(file.fd);
    if (next.length === 0) return false;
    let grown = false;
    // The last look at the old one was before the rename; what was written in between is its end.
    if (held !== null) grown = this.#readFile(held);
    // None of the files is the one held, and the numbers begin anew: somebody removed the journal, this is another.
    if (held !== null && at === -1 && this.#beginsAnew(next[0])) this.#last = 0;
    for (const file of next) {
      this.close();
      this.#file = file;
      this.#offset = 0;
      this.#rest = Buffer.alloc(0);
      grown = this.#readFile(file) || grown;
    }
    return grown;
  }

  #beginsAnew(file: JournalFile | undefined): boolean {
    if (file === undefined) return false;
    const bytes = Buffer.alloc(64 * 1024);
    const length = readSync(file.fd, bytes, 0, bytes.length, 0);
    const event = parseEvent(bytes.toString('utf8', 0, length).split('\n')[0] ?? '');
    return event?.seq === 1;
  }

  #readFile(file: JournalFile): boolean {
    let grown = false;
    const chunk = Buffer.alloc(64 * 1024);
    for (;;) {
      const length = readSync(file.fd, chunk, 0, chunk.length, this.#offset);
      if (length === 0) return grown;
      grown = true;
      this.#offset += length;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      this.#rest = Buffer.from(bytes.subarray(end));
      for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') this.#take(line);
    }
  }

  #take(line: string): void {
    const event = parseEvent(line);
    if (event === null) {
      if (!this.#passing) this.#options.onGap?.({ kind: 'unreadable_line' });
      return;
    }
    if (event.seq <= this.#last) return;
    const isGapRecord = event.event === 'journal_gap';
    if (!this.#first && !this.#passing && event.seq > this.#last + 1 && !isGapRecord) {
      this.#options.onGap?.({ kind: 'missing', from: this.#last + 1, to: event.seq - 1 });
    }
    this.#last = event.seq;
    this.#first = this.#passing;
    if (!this.#passing && !this.#options.signal.aborted) this.#options.onEvent(event);
  }
}

const LINE_FEED = 0x0a;
