/** Medians of repeated measurements, and the rows of the table that `npm run bench` prints. */

import { readdirSync, readFileSync } from 'node:fs';

export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly bare: string;
  /** The figure that the limit speaks of, such as `3.1x` or `12 ms`. */
  readonly figure: string;
  readonly limit: string;
  readonly held: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `median (least-most)` in milliseconds. */
export function spread(values: readonly number[]): string {
  return `${digits(median(values))} (${digits(Math.min(...values))}-${digits(Math.max(...values))}) ms`;
}

export function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1);
}

export function printTable(rows: readonly Row[]): void {
  const header = ['what', 'Coppice', 'bare', 'figure', 'limit', ''];
  const lines = rows.map((row) => [
    row.what,
    row.ours,
    row.bare,
    row.figure,
    row.limit,
    row.limit === '-' ? '' : row.held ? 'held' : 'MISSED',
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...lines].map((line) => line[column]!.length), title.length),
  );
  const print = (line: readonly string[]): void => {
    console.log(`| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  };
  print(header);
  print(widths.map((width) => '-'.repeat(width)));
  for (const line of lines) print(line);
}

/** CPU time that all threads of a process have used so far, in milliseconds, as precise as the scheduler counts it. */
export function cpuMs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1e6;
}
