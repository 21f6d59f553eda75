/** Waits until a file may have grown, at little cost both while it grows all the time and while nothing happens. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * A file that grows is looked at again after 4 to 32 ms, without being told: a writer of single lines would make the
 * system tell thousands of times a second. When nothing came in that time, the system is asked to tell (inotify and
 * its like), and is not trusted alone: network file systems tell nothing of what other machines write.
 *
 * The file itself is watched, and its folder only until it exists: a folder of logs tells of every service's output.
 */
export class OutputChanges {
  readonly #path: string;
  #watcher: FSWatcher | null = null;
  #told = false;
  #hotDelay: number | null = null;
  #pollDelay = FIRST_POLL_MS;
  /** Growth that was found by looking although a watcher was in place. */
  #missed = 0;
  #wake: (() => void) | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** The file had grown. */
  grown(): void {
    if (this.#watcher !== null && !this.#told) this.#missed += 1;
    this.#unwatch();
    this.#hotDelay = SHORTEST_MS;
    this.#pollDelay = FIRST_POLL_MS;
  }

  /** Resolves when it is time to look again; at once after a watcher was set up, for what came just before. */
  async wait(): Promise<void> {
    if (this.#hotDelay !== null) {
      const delay = this.#hotDelay;
      this.#hotDelay = delay >= LONGEST_MS ? null : delay * 2;
      return this.#sleep(delay);
    }
    if (this.#watcher === null || this.#told) {
      this.#unwatch();
      if (this.#watch()) return;
    }
    const delay = this.#pollDelay;
    const trusted = this.#watcher !== null && this.#missed < 2;
    this.#pollDelay = trusted ? Math.min(delay * 2, LAST_POLL_MS) : FIRST_POLL_MS;
    return this.#sleep(delay);
  }

  /** Ends the wait that is under way. */
  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#unwatch();
    this.wake();
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#wake = wake;
    });
  }

  #watch(): boolean {
    const name = basename(this.#path);
    const tell = (): void => {
      this.#told = true;
      this.wake();
    };
    for (const [place, only] of [[this.#path, null] as const, [dirname(this.#path), name] as const]) {
      try {
        const watcher = watch(place, { persistent: true }, (_, changed) => {
          if (only === null || changed === only) tell();
        });
        watcher.on('error', tell);
        this.#watcher = watcher;
        return true;
      } catch {
        // Not there yet, or the system has no watch left (ENOSPC, EMFILE): the other place, or only looking.
      }
    }
    return false;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#told = false;
  }
}

const SHORTEST_MS = 4;
const LONGEST_MS = 32;
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 2000;
