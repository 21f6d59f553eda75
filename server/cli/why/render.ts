/** An answer as lines of plain text: read from top to bottom, every word of it said by words and none by colour alone. */
import { timeWord } from '../clock.ts';
import { count } from '../proof.ts';
import { type Paint, painted } from '../terminal.ts';
import { displayWidth, oneLine, padEnd } from '../width.ts';
import { budgetWords } from './explain.ts';
import type { Advice, Answer, Moment } from './types.ts';

export interface WhyStyle {
  readonly colours: boolean;
  /** Columns to fit into; infinite when nobody's terminal is written to. */
  readonly columns: number;
  readonly now: number;
}

export function whyLines(answer: Answer, style: WhyStyle): string[] {
  return [...section(answer, style), ...answer.notes.flatMap((note) => ['', ...wrapped(`Note: ${note}.`, 0, style)])];
}

function section(answer: Answer, style: WhyStyle): string[] {
  const lines = wrapped(`${answer.headline}.`, 0, style).map((line) => colour('bold', line, style));
  const paragraphs = [
    chainLines(answer, style),
    outputLines(answer, style),
    answer.budgets.length === 0
      ? []
      : [title('Budgets used', style), ...answer.budgets.flatMap((one) => wrapped(budgetWords(one), 2, style))],
    ...answer.because.map((one) => indented(section(one, { ...style, columns: style.columns - 2 }))),
    adviceLines(answer.advice, style),
  ];
  return [...lines, ...paragraphs.flatMap((one) => (one.length === 0 ? [] : ['', ...one]))];
}

function chainLines({ chain, earlier }: Answer, style: WhyStyle): string[] {
  if (chain.length === 0) return [];
  const times = chain.map((one) => timeWord(one.at, style.now));
  const width = Math.max(...times.map(displayWidth));
  const lines = [title('What led to it', style)];
  chain.forEach((moment, index) => {
    const text = momentText(moment, style.now);
    const [first = '', ...rest] = wrapText(text, style.columns - width - 4);
    const paint = PAINTS[moment.tone];
    const shown = (line: string): string => (paint === null ? line : colour(paint, line, style));
    lines.push(`  ${padEnd(times[index] ?? '', width)}  ${shown(first)}`);
    for (const line of rest) lines.push(`  ${' '.repeat(width)}  ${shown(line)}`);
    if (index === 0 && earlier > 0)
      lines.push(`  ${' '.repeat(width)}  (${count(earlier, 'event')} between, not shown)`);
  });
  return lines;
}

function momentText({ text, until, times }: Moment, now: number): string {
  if (times < 2 || until === null) return oneLine(text);
  return `until ${timeWord(until, now)}: ${oneLine(text)}`;
}

function outputLines({ name, kind, output }: Answer, style: WhyStyle): string[] {
  if (output === null || output.lines.length === 0) return [];
  const where = kind === 'task' ? output.log : `coppice logs ${name}`;
  return [title(`Last lines of its output (${where})`, style), ...output.lines.map((line) => `  ${oneLine(line)}`)];
}

/** Commands first and aligned, so that they are found and copied without reading all of it. */
function adviceLines(advice: readonly Advice[], style: WhyStyle): string[] {
  if (advice.length === 0) return [];
  const commands = advice.flatMap((one) => (one.command === null ? [] : displayWidth(one.command)));
  const width = Math.max(0, ...commands);
  const lines = advice.flatMap(({ text, command }) => {
    if (command === null) return wrapped(text, 2, style);
    const line = `  ${padEnd(command, width)}  ${text}`;
    return displayWidth(line) <= style.columns ? [line] : [`  ${command}`, ...wrapped(text, 6, style)];
  });
  return [title('What to do', style), ...lines];
}

const PAINTS: Readonly<Record<Moment['tone'], Paint | null>> = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  plain: null,
};

function title(text: string, style: WhyStyle): string {
  return colour('dim', text, style);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function wrapped(text: string, indent: number, style: WhyStyle): string[] {
  return wrapText(oneLine(text), style.columns - indent).map((line) => `${' '.repeat(indent)}${line}`);
}

/** Breaks at blanks; a word that is longer than a line (a path) stays whole, so that it can be copied. */
function wrapText(text: string, columns: number): string[] {
  const room = Math.max(LEAST_COLUMNS, columns);
  if (displayWidth(text) <= room) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const LEAST_COLUMNS = 24;

function colour(paint: Paint, text: string, style: WhyStyle): string {
  return style.colours ? painted(paint, text) : text;
}
