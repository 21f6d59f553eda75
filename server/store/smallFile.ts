import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { classifyIoError, errorCode, type IoFailure, isMissing } from './ioFailure.ts';

export type SmallFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string; readonly mtimeMs: number; readonly inode: bigint }
  /** Something that none of ours can be: a link, a folder, a pipe, or more than `most` bytes. */
  | { readonly kind: 'odd'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly failure: IoFailure };

/**
 * Reads a file that a stranger may have put there: follows no link, never blocks on a pipe, takes no more than `most`
 * bytes into memory.
 */
export function readSmallFile(path: string, most = 64 * 1024): SmallFile {
  let fd: number;
  try {
    // Windows knows neither flag; its links need privileges to be made.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isMissing(error)) return { kind: 'absent' };
    const code = errorCode(error);
    // O_NOFOLLOW refuses a link with ELOOP (EMLINK on FreeBSD); a socket cannot be opened (ENXIO).
    if (code === 'ELOOP' || code === 'EMLINK' || code === 'ENXIO') return { kind: 'odd', detail: 'not a regular file' };
    return { kind: 'unreadable', failure: classifyIoError(error, path) };
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return { kind: 'odd', detail: 'not a regular file' };
    if (stat.size > BigInt(most)) return { kind: 'odd', detail: `${stat.size} bytes` };
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (;;) {
      const read = readSync(fd, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0 || length > most) break;
    }
    if (length > most) return { kind: 'odd', detail: `more than ${most} bytes` };
    const text = bytes.toString('utf8', 0, length);
    return { kind: 'text', text, mtimeMs: Number(stat.mtimeMs), inode: stat.ino };
  } catch (error) {
    return { kind: 'unreadable', failure: classifyIoError(error, path) };
  } finally {
    closeSync(fd);
  }
}

/** The object that `text` holds as JSON; `null` for anything else. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
