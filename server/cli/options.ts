/**
 * Reads a verb's arguments. Own code, since it stands on the path of every `ps`: it costs a millisecond, where a
 * library costs ten (a third of an empty Node script).
 */
import { closest } from '../text/suggest.ts';
import type { Invocation, OptionSpec } from './verb.ts';

export type ParseResult =
  | { readonly ok: true; readonly invocation: Invocation }
  | { readonly ok: false; readonly message: string };

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { long: 'cwd', value: 'dir', description: 'work on the workspace of this folder instead of the current one' },
  { long: 'json', description: 'print JSON, for other programs' },
  { long: 'help', short: 'h', description: 'show this help' },
];

/**
 * `until`: `first-positional` stops before the first word that is no option and leaves it and all that follows
 * untouched (a verb after global options, a command after `exec`). `--` ends the options everywhere.
 */
export function parseOptions(
  words: readonly string[],
  known: readonly OptionSpec[],
  until: 'end' | 'first-positional' = 'end',
): ParseResult {
  const options = new Map<string, string | true>();
  const positionals: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--') {
      positionals.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      if (until === 'first-positional') {
        positionals.push(...words.slice(index));
        break;
      }
      positionals.push(word);
      continue;
    }
    const read = word.startsWith('--') ? readLong(word, known) : readShort(word, known);
    if (!read.ok) return read;
    for (const { spec, value } of read.found) {
      if (spec.value === undefined) {
        if (value !== null) return { ok: false, message: `--${spec.long} takes no value` };
        options.set(spec.long, true);
        continue;
      }
      const given = value ?? words[++index];
      if (given === undefined)
        return { ok: false, message: `--${spec.long} needs a value: --${spec.long} <${spec.value}>` };
      options.set(spec.long, given);
    }
  }
  return { ok: true, invocation: { positionals, options } };
}

type ReadResult =
  | { readonly ok: true; readonly found: readonly { readonly spec: OptionSpec; readonly value: string | null }[] }
  | { readonly ok: false; readonly message: string };

/** `--name`, `--name=value`. */
function readLong(word: string, known: readonly OptionSpec[]): ReadResult {
  const equals = word.indexOf('=');
  const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
  const spec = known.find((one) => one.long === name);
  if (spec !== undefined) return { ok: true, found: [{ spec, value: equals === -1 ? null : word.slice(equals + 1) }] };
  const near = closest(
    name,
    known.map((one) => one.long),
  );
  return { ok: false, message: `unknown option --${name}${near === null ? '' : `; did you mean --${near}?`}` };
}

/** `-f`, `-n100`, `-n 100`, `-fn 100`. */
function readShort(word: string, known: readonly OptionSpec[]): ReadResult {
  const found: { spec: OptionSpec; value: string | null }[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const spec = known.find((one) => one.short === word[at]);
    if (spec === undefined) return { ok: false, message: `unknown option -${word[at]}` };
    const rest = word.slice(at + 1).replace(/^=/, '');
    const takesRest = spec.value !== undefined && rest !== '';
    found.push({ spec, value: takesRest ? rest : null });
    if (takesRest) break;
  }
  return { ok: true, found };
}
