/**
 * The smallest parts of the schema. The message of each is what was expected, as a phrase that stands after
 * "expected"; `issues.ts` adds what was found.
 */
import * as z from 'zod';
import { formatBytes, formatDuration, parseDuration, parseSize } from '../../text/units.ts';

/** Names become file names, words on the command line and parts of a marker variable. */
export const NAME_PATTERN = /^(?!.*\.\.)(?!.*(?:^|\/)\.?(?:\/|$))[A-Za-z0-9_.][A-Za-z0-9_.:/-]*$/;
export const LONGEST_NAME = 100;

export const SIGNALS = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGKILL',
] as const satisfies readonly NodeJS.Signals[];

export const CONDITIONS = ['ready', 'started', 'completed', 'succeeded'] as const;

/** For editors; `parseDuration` and `parseSize` decide. */
const DURATION_PATTERN = '^ *(?:0|\\d+(?:\\.\\d+)? ?(?:ms|s|m|h)) *$';
const SIZE_PATTERN = '^ *\\d+(?:\\.\\d+)? ?(?:B|KB|MB|GB) *$';

const DURATION = 'a duration such as `250ms`, `5s`, `2m` or `1h`';
const SIZE = 'a size such as `512KB`, `300MB` or `2GB`';

/** Milliseconds, from `5s`. `least` is in milliseconds. */
export function duration(least = 0) {
  return z
    .string({ error: DURATION })
    .meta({ pattern: DURATION_PATTERN })
    .transform((text, context): number => {
      const parsed = parseDuration(text);
      if (parsed.ok && parsed.value >= least) return parsed.value;
      const message = parsed.ok ? `a duration of at least \`${formatDuration(least)}\`` : DURATION;
      context.addIssue({
        code: 'custom',
        message,
        params: { guess: !parsed.ok },
      });
      return z.NEVER;
    });
}

/** Bytes, from `300MB`. */
export function size() {
  return z
    .string({ error: SIZE })
    .meta({ pattern: SIZE_PATTERN })
    .transform((text, context): number => {
      const parsed = parseSize(text);
      if (parsed.ok && parsed.value > 0) return parsed.value;
      const message = parsed.ok ? `a size above \`${formatBytes(0)}\`` : SIZE;
      context.addIssue({ code: 'custom', message, params: { guess: !parsed.ok } });
      return z.NEVER;
    });
}

export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error, abort: true }).min(least, { error }).max(most, { error });
}

/** A text that can be handed to a process: no NUL, which ends a string of the operating system. */
export function text(expected: string, least: 0 | 1 = 0) {
  const anyText = z.string({ error: expected });
  return (least === 0 ? anyText : anyText.min(least, { error: `${expected}, not an empty text`, abort: true })).refine(
    (value) => !value.includes('\0'),
    { error: `${expected}, without NUL characters` },
  );
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `one of ${values.map((value) => `\`${value}\``).join(', ')}` });
}

export const flag = () => z.boolean({ error: '`true` or `false`' });

export const commandText = () =>
  z.union([text('a command', 1), z.array(text('a word')).min(1, { error: 'at least the program' })], {
    error: 'a command (one text, or a list of words)',
  });

/** One text, or a list of them; a list for those who read it. */
export function textOrList(expected: string) {
  return z
    .union([text(expected, 1), z.array(text(expected, 1))], { error: `${expected}, or a list` })
    .transform((value): string[] => (typeof value === 'string' ? [value] : value));
}

export const listOf = (expected: string) => z.array(text(expected, 1), { error: `a list, each item ${expected}` });
