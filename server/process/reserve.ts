/**
 * Descriptors kept open for nothing, to be given up when there are no others: what proves that a tree is gone has to
 * read the process table. Without them a crash in such a moment would leave a service failed for good, as nothing may
 * be started beside a tree that may still live.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** A reader of the table holds one at a time; others of this process may take some as well. */
const RESERVED = 4;

const held: number[] = [];
let wanted = 0;
let borrowers = 0;

/** Takes the reserve, now and again whenever it was used. */
export function keepReserve(): void {
  wanted = RESERVED;
  fill();
}

/** Does `work` with the reserve given up where this process could not open anything else. */
export async function withReserve<T>(work: () => Promise<T>): Promise<T> {
  if (wanted > 0 && !canOpen()) for (const fd of held.splice(0)) closeSync(fd);
  borrowers += 1;
  try {
    return await work();
  } finally {
    borrowers -= 1;
    if (borrowers === 0) fill();
  }
}

function fill(): void {
  try {
    while (held.length < wanted) held.push(openSync(devNull, 'r'));
  } catch {
    // What is there now is needed elsewhere; the next user tries again.
  }
}

function canOpen(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return true;
  } catch {
    return false;
  }
}
