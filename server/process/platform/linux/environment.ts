import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { EnvironmentValue } from '../types.ts';

/** About 10 µs each; a zombie, which has no command line either, is given up after a millisecond. */
const SETTLE_ATTEMPTS = 100;
const ownUid = process.geteuid?.() ?? 0;
let buffer = Buffer.allocUnsafe(128 * 1024);

/**
 * The value that a variable had when the process was last exec'ed. A `null` is true for this moment only: between
 * fork and exec a child still shows its parent's environment, and during exec none at all, so it is never kept.
 */
export function readEnvironmentVariable(pid: number, name: string): EnvironmentValue {
  // Asking for the owner first spares a thrown EACCES, the dearest part of reading other users' processes.
  if (ownUid !== 0) {
    const owner = statSync(`/proc/${pid}`, { throwIfNoEntry: false });
    if (owner === undefined) return null;
    if (owner.uid !== ownUid) return 'unreadable';
  }
  const length = readSettledEnvironment(pid);
  if (length === 'unreadable') return 'unreadable';
  return length === 'gone' ? null : findVariable(buffer.subarray(0, length), name);
}

export function readCommandLine(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  } catch {
    return [];
  }
}

/** Finds `name=value` in a NUL-separated block; pure. */
export function findVariable(block: Buffer, name: string): string | null {
  const prefix = `${name}=`;
  let at = block.indexOf(prefix, 0, 'latin1');
  while (at > 0 && block[at - 1] !== 0) at = block.indexOf(prefix, at + 1, 'latin1');
  if (at < 0) return null;
  const start = at + prefix.length;
  const end = block.indexOf(0, start);
  return block.toString('utf8', start, end < 0 ? block.length : end);
}

/**
 * In the middle of an exec the environment reads as empty: seen with every tenth exec of a large one. The kernel fills
 * in the address of the code (field 26 of `stat`) only after the environment (fs/binfmt_elf.c, load_elf_binary), so an
 * empty one is believed when it was read after that address was there.
 */
function readSettledEnvironment(pid: number): number | 'gone' | 'unreadable' {
  let execDone = false;
  let length: number | 'gone' | 'unreadable' = 'unreadable';
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
    length = readEnvironment(pid);
    if (!isTorn(length) && (length !== 0 || execDone)) return length;
    execDone ||= isExecDone(pid);
  }
  return length === 0 ? 'unreadable' : length;
}

function isExecDone(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const startOfCode = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[23];
    return startOfCode !== undefined && startOfCode !== '0' && startOfCode !== '1';
  } catch {
    return false;
  }
}

/** An image that is torn down while it is read ends at a page, where the last value is hardly ever complete. */
function isTorn(length: number | 'gone' | 'unreadable'): boolean {
  return typeof length === 'number' && length > 0 && length % 4096 === 0 && buffer[length - 1] !== 0;
}

/** Fills `buffer` with the environment of a process and gives its length in bytes. */
function readEnvironment(pid: number): number | 'gone' | 'unreadable' {
  let file: number;
  try {
    file = openSync(`/proc/${pid}/environ`, 'r');
  } catch (error) {
    return isGone(error) ? 'gone' : 'unreadable';
  }
  try {
    let length = 0;
    for (;;) {
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const count = readSync(file, buffer, length, buffer.length - length, length);
      if (count === 0) return length;
      length += count;
    }
  } catch (error) {
    return isGone(error) ? 'gone' : 'unreadable';
  } finally {
    closeSync(file);
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH';
}
