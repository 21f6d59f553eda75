/** Values of options, read strictly; what is wrong is said, and `null` returned. */
import { parseDuration } from '../text/units.ts';
import type { Context, Invocation } from './verb.ts';

/** Milliseconds. */
export function readDurationOption(
  context: Context,
  options: Invocation['options'],
  name: string,
  preset: number,
): number | null {
  const text = options.get(name);
  if (typeof text !== 'string') return preset;
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.terminal.say(`coppice: --${name}: ${parsed.message}`);
  return null;
}

/** A whole number, 0 or more. */
export function readCountOption(
  context: Context,
  options: Invocation['options'],
  name: string,
  preset: number,
): number | null {
  const text = options.get(name);
  if (typeof text !== 'string') return preset;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  context.terminal.say(`coppice: --${name}: expected a whole number, found "${text}"`);
  return null;
}

/** A moment in epoch milliseconds, written as a time ago (`10m`) or as ISO 8601. */
export function readMomentOption(
  context: Context,
  options: Invocation['options'],
  name: string,
  now: number,
): { readonly ok: true; readonly at: number | null } | { readonly ok: false } {
  const text = options.get(name);
  if (typeof text !== 'string') return { ok: true, at: null };
  const ago = parseDuration(text);
  if (ago.ok) return { ok: true, at: now - ago.value };
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return { ok: true, at };
  context.terminal.say(
    `coppice: --${name}: expected a time ago such as "10m" or a time such as "2026-01-31T12:00:00", found "${text}"`,
  );
  return { ok: false };
}
