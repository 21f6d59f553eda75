/** Where the command writes: results to stdout, everything else to stderr. */

export type Paint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
  on(event: 'error' | 'resize' | 'drain', listener: (error: NodeJS.ErrnoException) => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'error' | 'resize' | 'drain', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export class Terminal {
  readonly #stdout: TerminalStream;
  readonly #stderr: TerminalStream;
  readonly #environment: NodeJS.ProcessEnv;
  #broken = false;
  #whenBroken: () => void = () => {};
  #above: ((text: string) => void) | null = null;

  constructor(stdout: TerminalStream, stderr: TerminalStream, environment: NodeJS.ProcessEnv) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#environment = environment;
    stdout.on('error', () => {
      // EPIPE: whoever read (`| head`) has had enough. Other errors of stdout leave as little to be said.
      this.#broken = true;
      this.#whenBroken();
    });
    stderr.on('error', () => {});
  }

  /** A result: goes to stdout. */
  print(text: string): void {
    if (!this.#broken) this.#stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`);
  }

  /** Bytes of others, unchanged; `false` asks the caller to wait for `drained`. */
  write(data: string | Uint8Array): boolean {
    return this.#broken || this.#stdout.write(data);
  }

  async drained(): Promise<void> {
    if (this.#broken) return;
    await new Promise<void>((resolve) => {
      this.#stdout.once('drain', resolve);
      this.#stdout.on('error', () => resolve());
    });
  }

  /** A message: goes to stderr, and on a terminal above the block that is repainted there. */
  say(text: string): void {
    if (this.#above !== null && this.#stderr.isTTY === true) this.#above(text);
    else this.#stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** From now on messages are shown by `show`, as something is being repainted in place; `null`: not any more. */
  sayAbove(show: ((text: string) => void) | null): void {
    this.#above = show;
  }

  /** Bytes of others among the messages, when stdout is for JSON. */
  writeMessage(data: Uint8Array): void {
    this.#stderr.write(data);
  }

  /** Progress that a person looks at and a program does not need. */
  get talks(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** A table may be repainted in place. */
  get live(): boolean {
    return this.#stdout.isTTY === true && this.#environment.TERM !== 'dumb' && !this.#broken;
  }

  /** Columns of the terminal; without limit where there is none. One that was never told its size says 0. */
  get columns(): number {
    return this.#stdout.isTTY === true ? this.#stdout.columns || 80 : Number.POSITIVE_INFINITY;
  }

  get rows(): number {
    return this.#stdout.isTTY === true ? this.#stdout.rows || 24 : Number.POSITIVE_INFINITY;
  }

  get colours(): boolean {
    return wantsColours(this.#stdout.isTTY === true, this.#environment);
  }

  paint(paint: Paint, text: string): string {
    return this.colours ? painted(paint, text) : text;
  }

  /** The same for what goes to stderr. */
  paintMessage(paint: Paint, text: string): string {
    return wantsColours(this.#stderr.isTTY === true, this.#environment) ? painted(paint, text) : text;
  }

  onResize(listener: () => void): () => void {
    this.#stdout.on('resize', listener);
    return () => this.#stdout.off('resize', listener);
  }

  /** What to do when the reader of stdout has gone; by default nothing more is printed. */
  onBroken(listener: () => void): void {
    this.#whenBroken = listener;
    if (this.#broken) listener();
  }

  /** Resolves when all that was printed has left this process. */
  async flush(): Promise<void> {
    await Promise.all(
      [this.#stdout, this.#stderr].map((one) => new Promise<void>((resolve) => one.write('', () => resolve()))),
    );
  }
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return new Terminal(process.stdout as TerminalStream, process.stderr as TerminalStream, process.env);
}

/** `FORCE_COLOR` wins over `NO_COLOR` (so does Node itself); both are respected over what the stream is. */
export function wantsColours(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((environment.NO_COLOR ?? '') !== '') return false;
  return isTerminal && environment.TERM !== 'dumb';
}

export function painted(paint: Paint, text: string): string {
  const [open, close] = CODES[paint];
  return `\u001b[${open}m${text}\u001b[${close}m`;
}

const CODES: Readonly<Record<Paint, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};
