/** What somebody most likely meant, for the commonest slips. All of these give text to write, or `null`. */
import { closest } from '../text/suggest.ts';
import { formatBytes, formatDuration, parseDuration, parseSize } from '../text/units.ts';

/** `5` was meant as seconds, `5000` as milliseconds; `1h30m`, `30 seconds` and `1d` are other tools' spelling. */
export function guessDuration(found: unknown): string | null {
  const number = typeof found === 'string' && /^\d+(\.\d+)?$/.test(found.trim()) ? Number(found) : found;
  if (typeof number === 'number') {
    if (!Number.isFinite(number) || number < 0) return null;
    return written(number >= 1000 ? Math.round(number) : number * 1000, formatMilliseconds, parseDuration);
  }
  if (typeof found !== 'string') return null;
  const parts = [...found.toLowerCase().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)];
  if (parts.length === 0 || found.replace(/(\d+(?:\.\d+)?)\s*([a-zA-Z]+)|\s/g, '') !== '') return null;
  let total = 0;
  for (const [, figures, unit = ''] of parts) {
    const factor = OTHER_DURATION_UNITS.find(([names]) => names.test(unit))?.[1];
    if (factor === undefined) return null;
    total += Number(figures) * factor;
  }
  return written(total, formatMilliseconds, parseDuration);
}

/** `300` was meant as megabytes, a large number as bytes. */
export function guessSize(found: unknown): string | null {
  const number = typeof found === 'string' && /^\d+(\.\d+)?$/.test(found.trim()) ? Number(found) : found;
  if (typeof number === 'number') {
    if (!Number.isFinite(number) || number <= 0) return null;
    return number >= 1024 ** 2 ? written(number, formatBytes, parseSize) : `${number}MB`;
  }
  if (typeof found !== 'string') return null;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b|bytes?)?\s*$/i.exec(found);
  if (match === null) return null;
  const [, figures = '', prefix = ''] = match;
  if (prefix.toLowerCase() === 't') return `${Number(figures) * 1024}GB`;
  return `${figures}${prefix.toUpperCase()}B`;
}

export function guessHttp(found: unknown): string | null {
  if (typeof found === 'number') return isPort(found) ? `http://127.0.0.1:${found}/` : null;
  if (typeof found !== 'string' || /[\s"]/.test(found) || found === '') return null;
  if (/^[\w.-]+:(?:\d+|\$\{port\})(?:\/|$)/.test(found) || /^[\w-]+(?:\.[\w-]+)+\//.test(found))
    return `http://${found}`;
  return /^[\w-][\w./?=&-]*$/.test(found) ? `/${found}` : null;
}

export function guessPort(found: unknown): string | null {
  if (typeof found !== 'string') return null;
  const figures = /^\s*(?:.*:)?(\d{1,5})\s*$/.exec(found)?.[1];
  return figures !== undefined && isPort(Number(figures)) ? String(Number(figures)) : null;
}

export function guessNumber(found: unknown): string | null {
  return typeof found === 'string' && /^\s*-?\d+\s*$/.test(found) ? String(Number(found)) : null;
}

export function guessFlag(found: unknown): string | null {
  const word = typeof found === 'string' ? found.trim().toLowerCase() : found;
  if (['true', 'yes', 'on', 'y', 1].includes(word as string)) return 'true';
  return ['false', 'no', 'off', 'n', 0].includes(word as string) ? 'false' : null;
}

/** `false` is what other tools, and older YAML, take for `no`. */
export function guessWord(found: unknown, words: readonly string[]): string | null {
  if (found === false) return words.find((word) => word === 'no' || word === 'off' || word === 'none') ?? null;
  return typeof found === 'string' ? closest(found, words) : null;
}

const OTHER_DURATION_UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(?:s|secs?|seconds?)$/, 1000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:h|hrs?|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
];

/** In one unit, because a duration with two is shown to people but not read. */
function formatMilliseconds(milliseconds: number): string {
  for (const [unit, factor] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (milliseconds >= factor && milliseconds % factor === 0) return `${milliseconds / factor}${unit}`;
  }
  if (milliseconds === 0) return '0s';
  return milliseconds % 100 === 0 && milliseconds >= 1000 ? formatDuration(milliseconds) : `${milliseconds}ms`;
}

/** Only what is read back as the very same is worth suggesting. */
function written(
  value: number,
  format: (value: number) => string,
  parse: (text: string) => { readonly ok: boolean; readonly value?: number },
): string | null {
  const text = format(value);
  return parse(text).ok && parse(text).value === value ? text : null;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}
