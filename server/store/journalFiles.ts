import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile, replaceFile } from '../process/disk.ts';
import { errorCode, isMissing } from './ioFailure.ts';
import { parseObject } from './smallFile.ts';
import type { JournalEvent } from './types.ts';

/** The newest file is `events.jsonl`; `events.1.jsonl` is the one before it, and so on. */
export const JOURNAL_FILE = 'events.jsonl';

/** An open file of the journal. */
export interface JournalFile {
  readonly fd: number;
  readonly inode: bigint;
}

/**
 * Opens the files there are, oldest first. They are opened newest first: a rotation in between moves files on to names
 * that are opened later, so that one may be met twice, which is seen by its inode, but none is missed.
 */
export function openJournalFiles(folder: string): JournalFile[] {
  const files: JournalFile[] = [];
  const numbers = [0, ...rotatedNumbers(folder)];
  // One further than there were, for what a rotation moves meanwhile.
  for (const number of [...numbers, (numbers.at(-1) ?? 0) + 1]) {
    const file = openJournalFile(join(folder, rotatedName(number)));
    if (file === null) continue;
    if (files.some((known) => known.inode === file.inode)) closeSync(file.fd);
    else files.unshift(file);
  }
  return files;
}

/** `null` when there is no such file. Throws other errors of the system. */
export function openJournalFile(path: string): JournalFile | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    return { fd, inode: fstatSync(fd, { bigint: true }).ino };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Moves every file one number up and drops those beyond `keep`. What was killed half way leaves a gap, no loss. */
export function rotateJournal(folder: string, keep: number): boolean {
  try {
    for (const number of rotatedNumbers(folder).reverse()) {
      const path = join(folder, rotatedName(number));
      if (number >= keep) removeFile(path);
      else replaceFile(path, join(folder, rotatedName(number + 1)));
    }
    replaceFile(join(folder, JOURNAL_FILE), join(folder, rotatedName(1)));
    return true;
  } catch (error) {
    // Windows refuses while a reader has it open: the file then grows until the next try.
    return errorCode(error) === 'ENOENT';
  }
}

/** Sequence number of the last readable record, 0 without one. Reads from the end. */
export function lastSequence(folder: string): number {
  const files = openJournalFiles(folder).reverse();
  try {
    for (const { fd } of files) {
      for (const line of linesFromEnd(fd)) {
        const event = parseEvent(line);
        if (event !== null) return event.seq;
      }
    }
    return 0;
  } finally {
    for (const { fd } of files) closeSync(fd);
  }
}

/** Whether the newest file ends in the middle of a line, as its writer was killed or the disk was full. */
export function endsTorn(folder: string): boolean {
  const file = openJournalFile(join(folder, JOURNAL_FILE));
  if (file === null) return false;
  try {
    const { size } = fstatSync(file.fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file.fd, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED;
  } finally {
    closeSync(file.fd);
  }
}

/** `null` for a line that is no record: torn, or not ours. */
export function parseEvent(line: string): JournalEvent | null {
  const value = parseObject(line);
  if (value === null) return null;
  const { seq, at, supervisor, event } = value;
  if (!Number.isSafeInteger(seq) || typeof at !== 'number' || typeof supervisor !== 'number') return null;
  return typeof event === 'string' ? (value as unknown as JournalEvent) : null;
}

/** The lines of a file from its last to its first, empty ones left out. */
export function* linesFromEnd(fd: number): Generator<string> {
  let end = fstatSync(fd).size;
  let rest = Buffer.alloc(0);
  while (end > 0) {
    const begin = Math.max(0, end - CHUNK);
    const chunk = Buffer.alloc(end - begin);
    const length = readSync(fd, chunk, 0, chunk.length, begin);
    end = begin;
    const bytes = Buffer.concat([chunk.subarray(0, length), rest]);
    const first = begin === 0 ? -1 : bytes.indexOf(LINE_FEED);
    if (begin > 0 && first === -1) {
      rest = bytes;
      continue;
    }
    rest = Buffer.from(bytes.subarray(0, Math.max(0, first)));
    const lines = bytes.toString('utf8', first + 1).split('\n');
    for (let at = lines.length - 1; at >= 0; at -= 1) {
      const line = lines[at];
      if (line !== undefined && line !== '') yield line;
    }
  }
}

function rotatedName(number: number): string {
  return number === 0 ? JOURNAL_FILE : `events.${number}.jsonl`;
}

/** Ascending. */
function rotatedNumbers(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const numbers = names.flatMap((name) => /^events\.([1-9]\d{0,5})\.jsonl$/.exec(name)?.[1] ?? []);
  return numbers.map(Number).sort((a, b) => a - b);
}

const CHUNK = 64 * 1024;
const LINE_FEED = 0x0a;
