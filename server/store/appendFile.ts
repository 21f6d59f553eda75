import { closeSync, fstatSync, readSync } from 'node:fs';
import { cutFile, flushFile, openToAppend, writeSome } from '../process/disk.ts';
import { classifyIoError, type WriteResult } from './ioFailure.ts';

/**
 * A file of lines that one process appends to, each by one write(2) to an O_APPEND descriptor: a line that `append` has
 * returned from survives any death of the process. One that was torn (by a full disk, a loss of power, or a SIGKILL
 * between two pages of the same write) never swallows the next: that then begins with a line feed.
 */
export class AppendFile {
  readonly #path: string;
  #fd: number | null = null;
  #size = 0;
  #torn = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes in the file, as far as this writer knows. */
  get size(): number {
    return this.#size;
  }

  /** `line` is without its line feed. Creates the file, never its folder. */
  append(line: string): WriteResult {
    try {
      const fd = this.#open();
      const bytes = Buffer.from(this.#torn ? `\n${line}\n` : `${line}\n`, 'utf8');
      for (let at = 0; at < bytes.length; ) {
        const written = writeSome(fd, bytes, at, this.#path);
        at += written;
        this.#size += written;
        // A full disk takes the beginning of a line and refuses the rest by the next write.
        this.#torn = at < bytes.length;
      }
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: classifyIoError(error, this.#path) };
    }
  }

  /** Nothing is known of what others may have appended: the file is not open, or is not as this writer has left it. */
  get hasStrayed(): boolean {
    try {
      return this.#fd === null || fstatSync(this.#fd).size !== this.#size;
    } catch {
      return true;
    }
  }

  /** Flushes what was written to the disk. */
  flush(): void {
    try {
      if (this.#fd !== null) flushFile(this.#fd, this.#path);
    } catch {
      // What a loss of power could still take is no more than before the call.
    }
  }

  /** Empties the file. */
  clear(): WriteResult {
    try {
      cutFile(this.#open(), 0, this.#path);
      this.#size = 0;
      this.#torn = false;
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: classifyIoError(error, this.#path) };
    }
  }

  /** The next append opens the file anew, as after it was renamed. */
  close(): void {
    const fd = this.#fd;
    this.#fd = null;
    try {
      if (fd !== null) closeSync(fd);
    } catch {
      // The descriptor is gone whatever close(2) says; NFS may report only here what it could not keep.
    }
  }

  #open(): number {
    // A file that somebody deleted would take lines that nobody ever reads.
    if (this.#fd !== null && fstatSync(this.#fd).nlink === 0) this.close();
    if (this.#fd !== null) return this.#fd;
    const fd = openToAppend(this.#path, 0o600);
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    const last = Buffer.alloc(1);
    this.#torn = this.#size > 0 && readSync(fd, last, 0, 1, this.#size - 1) === 1 && last[0] !== LINE_FEED;
    return fd;
  }
}

const LINE_FEED = 0x0a;
