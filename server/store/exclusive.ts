import { closeSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { flushFile, linkFile, openNewFile, writeAll } from '../process/disk.ts';
import { errorCode } from './ioFailure.ts';

/**
 * Makes `target` with the content of `from`, whole at once, unless the name is taken. Throws the system's other errors.
 *
 * Where there are no hard links (FAT, exFAT, some FUSE and network file systems) it is created exclusively and then
 * filled: still one winner, and for some microseconds a torn file to be seen, which is why readers give torn ones time.
 */
export function createExclusively(
  from: string,
  target: string,
  text: string,
  link: (from: string, to: string) => void = linkFile,
): 'created' | 'exists' {
  try {
    link(from, target);
    return 'created';
  } catch (error) {
    const code = errorCode(error);
    // NFS may carry a link out, lose the answer and meet its own work on the second try.
    if (code === 'EEXIST') return isSameFile(from, target) ? 'created' : 'exists';
    if (!NO_LINKS.has(code)) throw error;
    return createAndFill(target, text);
  }
}

/** What systems say of a link on a file system that has none; `UNKNOWN` is what libuv makes of Windows' "invalid function". */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'UNKNOWN']);

function createAndFill(target: string, text: string): 'created' | 'exists' {
  let fd: number;
  try {
    fd = openNewFile(target, 0o644);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return 'exists';
    throw error;
  }
  try {
    writeAll(fd, Buffer.from(text, 'utf8'), target);
    flushFile(fd, target);
  } catch (error) {
    unlinkSync(target);
    throw error;
  } finally {
    closeSync(fd);
  }
  // Stopped for long between creating and filling (SIGSTOP), it may have been taken for torn and replaced.
  return readFileSync(target, 'utf8') === text ? 'created' : 'exists';
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [lstatSync(one, { bigint: true }), lstatSync(other, { bigint: true })];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}
