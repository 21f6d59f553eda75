import { readlinkSync } from 'node:fs';

/**
 * Names the pid namespace of this process, as `pid:[4026531836]`; `null` where the system has none. A pid of another
 * namespace means another process here.
 */
export function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
