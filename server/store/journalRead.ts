import { closeSync } from 'node:fs';
import { linesFromEnd, openJournalFiles, parseEvent } from './journalFiles.ts';
import type { JournalEvent } from './types.ts';

export interface ReadJournalOptions {
  /** Only events with a higher number. */
  readonly sinceSeq?: number;
  /** At most so many, the newest. */
  readonly limit?: number;
}

export interface JournalReading {
  /** Oldest first. */
  readonly events: readonly JournalEvent[];
  /** Lines among those read that are no records: torn by a full disk or a loss of power. */
  readonly skipped: number;
}

/**
 * The journal of a state directory, across its rotated files. Reads from the end and only as far as asked. A folder
 * without a journal gives none; throws other errors of the system.
 */
export function readJournal(stateDir: string, options: ReadJournalOptions = {}): JournalReading {
  const { sinceSeq = 0, limit = Number.POSITIVE_INFINITY } = options;
  const events: JournalEvent[] = [];
  let skipped = 0;
  const files = openJournalFiles(stateDir).reverse();
  try {
    for (const { fd } of files) {
      for (const line of linesFromEnd(fd)) {
        if (events.length >= limit) return { events: events.reverse(), skipped };
        const event = parseEvent(line);
        if (event === null) skipped += 1;
        else if (event.seq > sinceSeq) events.push(event);
        else return { events: events.reverse(), skipped };
      }
    }
    return { events: events.reverse(), skipped };
  } finally {
    for (const { fd } of files) closeSync(fd);
  }
}
