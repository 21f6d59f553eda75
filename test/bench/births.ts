import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/**
 * A pipe into which each child writes a line the moment it runs, so that a start is timed by the child itself and not
 * by whoever supervises it.
 */
export class Births {
  readonly path: string;
  readonly #socket: Socket;
  readonly #waiting: (() => void)[] = [];
  #text = '';
  /** `[pid, time]` of every child so far, in order. */
  readonly seen: { readonly pid: number; readonly at: number }[] = [];

  constructor(folder: string) {
    this.path = join(folder, 'births');
    execFileSync('mkfifo', [this.path]);
    // Held open for writing too, so that the pipe does not end between two children.
    const fd = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
  }

  /** A command line whose process tells its birth and then waits for its end. */
  get command(): string[] {
    return ['/bin/sh', '-c', `echo $$ > ${this.path}; exec sleep 100000`];
  }

  /** Resolves once `count` children in all were born. */
  async reach(count: number): Promise<void> {
    while (this.seen.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const at = performance.now();
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.seen.push({ pid: Number(line), at });
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
