import { readlinkSync } from 'node:fs';

/** Where another process works; `null` where that cannot be seen. */
export function readWorkingDirectory(pid: number): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
