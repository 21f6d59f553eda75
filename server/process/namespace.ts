import { readlinkSync } from 'node:fs';

/**
 * Names the pid namespace of a process, this one where none is given, as `pid:[4026531836]`; `null` where the system has none. A pid of another
 * namespace means another process here.
 */
export function pidNamespace(pid: number | 'self' = 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}
