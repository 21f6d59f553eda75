import { EventEmitter } from 'node:events';
import { Terminal, type TerminalStream } from '../../server/cli/terminal.ts';

/** A stream that remembers what was written to it. */
export class FakeStream extends EventEmitter implements TerminalStream {
  text = '';
  readonly isTTY: boolean;
  columns: number;
  rows: number;

  constructor(isTTY = false, columns = 80, rows = 24) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }

  write(data: string | Uint8Array, done?: () => void): boolean {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString();
    done?.();
    return true;
  }
}

export interface FakeTerminal {
  readonly terminal: Terminal;
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
}

export function fakeTerminal(
  environment: NodeJS.ProcessEnv = {},
  options: { tty?: boolean; columns?: number } = {},
): FakeTerminal {
  const stdout = new FakeStream(options.tty, options.columns);
  const stderr = new FakeStream(options.tty);
  return { terminal: new Terminal(stdout, stderr, environment), stdout, stderr };
}
