import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Makes the disk full for files under `folder`, for this process: after `bytes` more, a write takes what fits and the
 * next one fails with ENOSPC, as the kernel does it.
 */
export function limitDisk(folder: string, bytes: number): { restore(): void } {
  const { writeSync } = fs;
  let room = bytes;
  const limited = (fd: number, data: Uint8Array, offset = 0, length = data.length - offset): number => {
    if (!fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)) return writeSync(fd, data, offset, length);
    const fits = Math.min(room, length);
    if (fits === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    room -= fits;
    return writeSync(fd, data, offset, fits);
  };
  fs.writeSync = limited as typeof fs.writeSync;
  syncBuiltinESMExports();
  return {
    restore() {
      fs.writeSync = writeSync;
      syncBuiltinESMExports();
    },
  };
}
