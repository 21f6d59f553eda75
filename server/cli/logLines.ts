/** Output of services, as lines of a terminal or of JSON. */
import { type Line, LineSplitter, stripAnsi } from '../process/output/index.ts';
import type { Terminal } from './terminal.ts';

/**
 * `raw`: bytes as they are. `plain`: lines without colours. `prefixed`: lines with the name before each.
 * `json`: one object a line, `{name, text}`.
 */
export type LogFormat = 'raw' | 'plain' | 'prefixed' | 'json';

/** Writes one service's output, chunk by chunk; text that a carriage return has overwritten is left out, save in `raw`. */
export class LogWriter {
  readonly #terminal: Terminal;
  readonly #format: LogFormat;
  readonly #name: string;
  readonly #prefix: string;
  readonly #splitter = new LineSplitter();
  #overwritten = '';
  #inLine = false;

  constructor(terminal: Terminal, format: LogFormat, name: string, prefix: string) {
    this.#terminal = terminal;
    this.#format = format;
    this.#name = name;
    this.#prefix = prefix;
  }

  /** Resolves when the terminal can take more. */
  async push(bytes: Buffer): Promise<void> {
    if (this.#format === 'raw') await this.#write(bytes);
    else await this.#lines(this.#splitter.push(bytes));
  }

  /** Writes a last line that has no ending. */
  async end(): Promise<void> {
    if (this.#format === 'raw') return;
    await this.#lines(this.#splitter.flush());
    if (this.#overwritten !== '') await this.#lines([{ text: '', end: 'newline' }]);
  }

  async #lines(lines: readonly Line[]): Promise<void> {
    let text = '';
    for (const line of lines) text += this.#render(line);
    if (text !== '') await this.#write(text);
  }

  #render({ text, end }: Line): string {
    switch (end) {
      case 'overwritten':
        if (text !== '') this.#overwritten = text;
        return '';
      case 'cap':
        return this.#piece(text, false);
      case 'newline':
      case 'flush': {
        const visible = text === '' && !this.#inLine ? this.#overwritten : text;
        this.#overwritten = '';
        return this.#piece(visible, true);
      }
      default:
        return end satisfies never;
    }
  }

  /** A line longer than the splitter's cap comes in pieces, and stays one line here. */
  #piece(text: string, last: boolean): string {
    if (this.#format === 'json') return `${JSON.stringify({ name: this.#name, text: stripAnsi(text) })}\n`;
    const shown = this.#format === 'prefixed' && this.#terminal.colours ? text : stripAnsi(text);
    const line = `${this.#inLine ? '' : this.#prefix}${shown}${last ? '\n' : ''}`;
    this.#inLine = !last;
    return line;
  }

  async #write(data: string | Buffer): Promise<void> {
    if (!this.#terminal.write(data)) await this.#terminal.drained();
  }
}

/** Prefixes of one width, each name with a colour of its own. */
export function logPrefixes(names: readonly string[], terminal: Terminal): ReadonlyMap<string, string> {
  const paints = ['cyan', 'yellow', 'green', 'magenta', 'blue'] as const;
  const width = Math.max(0, ...names.map((name) => name.length));
  return new Map(
    names.map((name, index) => [
      name,
      `${terminal.paint(paints[index % paints.length] ?? 'cyan', name.padEnd(width))} | `,
    ]),
  );
}
