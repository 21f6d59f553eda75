/**
 * Durations and sizes as people write them in a configuration and on the command line, and as Coppice writes them
 * back. Reading is strict: a number without a unit is refused, because `5` has meant seconds in one tool and
 * milliseconds in the next.
 */

export type UnitResult =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly message: string };

/** The longest time that one `setTimeout` can wait (2^31-1 ms, 24.8 days); Node fires anything longer at once. */
export const LONGEST_DURATION_MS = 2 ** 31 - 1;

/** Whole milliseconds of `250ms`, `5s`, `1.5s`, `2m`, `1h` or `0`. */
export function parseDuration(text: string): UnitResult {
  const wanted = 'expected a duration such as "250ms", "5s", "2m" or "1h"';
  const parsed = parseQuantity(text, DURATION_UNITS, wanted);
  if (!parsed.ok) return parsed;
  if (parsed.value > LONGEST_DURATION_MS) {
    return {
      ok: false,
      message: `${quote(text)} is longer than the longest duration, ${formatDuration(LONGEST_DURATION_MS)}`,
    };
  }
  return parsed;
}

/** Whole bytes of `512B`, `64KB`, `300MB`, `1.5GB` or `0`; units are powers of 1024. */
export function parseSize(text: string): UnitResult {
  const wanted = 'expected a size such as "512KB", "300MB" or "2GB"';
  const parsed = parseQuantity(text, SIZE_UNITS, wanted);
  if (!parsed.ok) return parsed;
  if (!Number.isSafeInteger(parsed.value))
    return { ok: false, message: `${quote(text)} is larger than any size that can be counted` };
  return parsed;
}

/**
 * A duration for people, two units at the most: `250ms`, `1.5s`, `42s`, `2m 5s`, `3h`, `2d 4h`. Negative times (a
 * clock that was set back) are shown as `0ms`.
 */
export function formatDuration(milliseconds: number): string {
  const rest = Number.isFinite(milliseconds) ? Math.max(0, Math.round(milliseconds)) : 0;
  if (rest < 1000) return `${rest}ms`;
  if (rest < 9950) return `${trimDecimal(rest / 1000)}s`;
  const seconds = Math.round(rest / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.floor(minutes / 60);
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** A size for people, three figures at the most: `0B`, `999B`, `1.5KB`, `300MB`, `2GB`; units are powers of 1024. */
export function formatBytes(bytes: number): string {
  let value = Number.isFinite(bytes) ? Math.max(0, Math.round(bytes)) : 0;
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    // 1023.5 would be written as 1024 of this unit.
    if (value < 1023.5) return `${writeFigures(value)}${unit}`;
    value /= 1024;
  }
  return `${writeFigures(value)}TB`;
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

function parseQuantity(text: string, units: Readonly<Record<string, number>>, wanted: string): UnitResult {
  const trimmed = text.trim();
  if (trimmed === '0') return { ok: true, value: 0 };
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(trimmed);
  if (match === null) {
    const hint = /^\d+(\.\d+)?$/.test(trimmed) ? ' (the unit is missing)' : '';
    return { ok: false, message: `${wanted}, found ${quote(text)}${hint}` };
  }
  const [, figures = '', unit = ''] = match;
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const known = Object.keys(units).join(', ');
    return { ok: false, message: `${wanted}, found ${quote(text)}: the unit ${quote(unit)} is not one of ${known}` };
  }
  const value = Number(figures) * factor;
  if (!Number.isFinite(value))
    return { ok: false, message: `${wanted}, found ${quote(text)}: the number is too large` };
  return { ok: true, value: Math.round(value) };
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}

function writeFigures(value: number): string {
  return value < 9.95 ? trimDecimal(value) : String(Math.round(value));
}

function trimDecimal(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function quote(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(short);
}
