/** Bytes to lines. */
import { StringDecoder } from 'node:string_decoder';
import { LINE_CAP } from './limits.ts';

export interface Line {
  /** Without its ending; bytes that are no UTF-8 are U+FFFD. */
  readonly text: string;
  /**
   * `newline`: LF or CRLF. `overwritten`: a lone CR, after which a terminal writes over this text (a progress bar).
   * `cap`: the line goes on in the next piece. `flush`: the output ended without a line ending.
   */
  readonly end: 'newline' | 'overwritten' | 'cap' | 'flush';
}

/** Gives every character exactly once, whatever the chunks are cut through: a character, or CR and LF. */
export class LineSplitter {
  readonly #cap: number;
  #decoder = new StringDecoder('utf8');
  #rest = '';

  /** `cap` is the longest piece of a line, in UTF-16 units. */
  constructor(cap = LINE_CAP) {
    this.#cap = Math.max(2, cap);
  }

  /** The text after the last line ending. */
  get pending(): string {
    return this.#rest;
  }

  /** The lines that `chunk` completes. */
  push(chunk: Uint8Array): Line[] {
    const text = this.#rest + this.#decoder.write(chunk);
    const lines: Line[] = [];
    let at = 0;
    let feed = text.indexOf('\n');
    let back = text.indexOf('\r');
    for (;;) {
      // Each is searched for only when it was passed, or a chunk of many CR and no LF would cost the square.
      if (feed !== -1 && feed < at) feed = text.indexOf('\n', at);
      if (back !== -1 && back < at) back = text.indexOf('\r', at);
      if (back !== -1 && (feed === -1 || back < feed)) {
        // The next chunk may begin with the LF that belongs to it.
        if (back === text.length - 1) break;
        const both = feed === back + 1;
        this.#cut(text.slice(at, back), both ? 'newline' : 'overwritten', lines);
        at = back + (both ? 2 : 1);
      } else if (feed !== -1) {
        this.#cut(text.slice(at, feed), 'newline', lines);
        at = feed + 1;
      } else break;
    }
    this.#rest = this.#pieces(text.slice(at), lines);
    return lines;
  }

  /** What is left when nothing more will come. The splitter is empty afterwards. */
  flush(): Line[] {
    const text = this.#rest + this.#decoder.end();
    this.#rest = '';
    this.#decoder = new StringDecoder('utf8');
    const lines: Line[] = [];
    if (text.endsWith('\r')) this.#cut(text.slice(0, -1), 'overwritten', lines);
    else if (text !== '') this.#cut(text, 'flush', lines);
    return lines;
  }

  #cut(text: string, end: Line['end'], lines: Line[]): void {
    lines.push({ text: this.#pieces(text, lines), end });
  }

  /** Moves full pieces of `text` to `lines` and returns what is left of it. */
  #pieces(text: string, lines: Line[]): string {
    let at = 0;
    while (text.length - at > this.#cap) {
      const last = text.charCodeAt(at + this.#cap - 1);
      const pair = last >= 0xd800 && last <= 0xdbff;
      const until = at + this.#cap - (pair ? 1 : 0);
      lines.push({ text: text.slice(at, until), end: 'cap' });
      at = until;
    }
    return at === 0 ? text : text.slice(at);
  }
}

/**
 * The lines as a terminal would leave them: of what was overwritten only the last, and of a line that is longer than
 * the cap only its first piece.
 */
export function visibleLines(lines: readonly Line[]): string[] {
  const visible: string[] = [];
  let overwritten = '';
  let capped: string | null = null;
  for (const line of lines) {
    const text: string = capped ?? line.text;
    switch (line.end) {
      case 'cap':
        capped = text;
        break;
      case 'overwritten':
        // CR CR LF, which some programs on Windows write, leaves the text standing.
        if (text !== '') overwritten = text;
        capped = null;
        break;
      case 'newline':
      case 'flush':
        visible.push(text === '' ? overwritten : text);
        overwritten = '';
        capped = null;
        break;
      default:
        line.end satisfies never;
    }
  }
  const unfinished = capped ?? overwritten;
  if (unfinished !== '') visible.push(unfinished);
  return visible;
}
