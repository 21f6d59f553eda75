/** A block of lines repainted in place on a terminal. */
import type { Terminal } from './terminal.ts';
import { displayWidth } from './width.ts';

/**
 * What to write so that `next` stands where `previous` stood. The cursor rests at the start of the line below the
 * block. Only what changed is rewritten, and all of it inside one synchronised update, so that nothing flickers.
 * `columns` is the width now: lines written when the terminal was wider have wrapped since, and take more rows.
 */
export function repaint(previous: readonly string[], next: readonly string[], columns: number): string {
  const rows = previous.reduce((sum, line) => sum + rowsOf(line, columns), 0);
  const wrapped = rows !== previous.length;
  let text = rows > 0 ? `\u001b[${rows}A\r` : '';
  if (wrapped) text += '\u001b[J';
  next.forEach((line, index) => {
    text += !wrapped && previous[index] === line ? '\n' : `${line}\u001b[K\n`;
  });
  if (!wrapped && previous.length > next.length) text += '\u001b[J';
  return `\u001b[?2026h${text}\u001b[?2026l`;
}

/** At most `rows - 1` lines, the last of which says how many are missing. */
export function crop(lines: readonly string[], rows: number): readonly string[] {
  const room = Math.max(2, rows - 1);
  if (lines.length <= room) return lines;
  return [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more lines (coppice ps shows all)`];
}

/** Paints at most every 80 ms, the last state always. */
export class LivePanel {
  readonly #terminal: Terminal;
  readonly #render: () => readonly string[];
  readonly #unlisten: () => void;
  #painted: readonly string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(terminal: Terminal, render: () => readonly string[]) {
    this.#terminal = terminal;
    this.#render = render;
    this.#unlisten = terminal.onResize(() => this.#paint());
    terminal.sayAbove((text) => this.print(text));
    terminal.write(HIDE_CURSOR);
  }

  /** Something changed. */
  touch(): void {
    if (this.#ended || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#paint();
    }, PAINT_EVERY_MS);
  }

  /** Lines that stay, above the block. */
  print(text: string): void {
    this.#terminal.write(repaint(this.#painted, [], this.#terminal.columns));
    this.#painted = [];
    this.#terminal.print(text);
    this.#paint();
  }

  /** Paints the last state, which stays on the screen. */
  end(): void {
    if (this.#ended) return;
    this.#paint();
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#unlisten();
    this.#terminal.sayAbove(null);
    this.#terminal.write(SHOW_CURSOR);
  }

  #paint(): void {
    if (this.#ended) return;
    const { columns, rows } = this.#terminal;
    const next = crop(this.#render(), rows);
    if (next.length === this.#painted.length && next.every((line, index) => line === this.#painted[index])) return;
    this.#terminal.write(repaint(this.#painted, next, columns));
    this.#painted = next;
  }
}

const PAINT_EVERY_MS = 80;
const HIDE_CURSOR = '\u001b[?25l';
export const SHOW_CURSOR = '\u001b[?25h';

function rowsOf(line: string, columns: number): number {
  return Number.isFinite(columns) && columns > 0 ? Math.max(1, Math.ceil(displayWidth(line) / columns)) : 1;
}
