/** Parameters of requests, checked once at the border; inside, nothing is checked again. */
import type { RequestName, Requests } from './protocol.ts';

/** What is wrong with a value, each with its place: `expected a string at params.names[0], got number`. */
type Check = (value: unknown, path: string) => string[];

const LONGEST_NAME = 256;
const MOST_NAMES = 10_000;

const text =
  (most: number, least = 0): Check =>
  (value, path) => {
    if (typeof value !== 'string') return [expected('a string', path, value)];
    return value.length < least || value.length > most
      ? [`expected ${least} to ${most} characters at ${path}, got ${value.length}`]
      : [];
  };

const anyText = text(Number.POSITIVE_INFINITY);
const session = text(128, 1);
const nothing: Check = () => [];
const names = object({ names: list(text(LONGEST_NAME), MOST_NAMES) });
const up = object({ names: list(text(LONGEST_NAME), MOST_NAMES), id: optional(commandId) });
const id = object({ id: text(128) });

const checks: { readonly [Name in RequestName]: Check } = {
  hello: object({
    protocol: number(0),
    client: object({
      kind: oneOf(['cli', 'editor', 'agent', 'other']),
      pid: number(1),
      version: text(64),
      session: orNull(session),
      holder: optional(oneOf(['window', 'terminal', 'named'])),
    }),
  }),
  status: nothing,
  up,
  start: up,
  stop: names,
  restart: object({ names: list(text(LONGEST_NAME), MOST_NAMES), since: optional(record(number(0))) }),
  reset: names,
  reload: nothing,
  wait: object({ name: text(LONGEST_NAME), for: oneOf(['ready', 'exit']), timeoutMs: orNull(number(0)) }),
  exec: object({
    id: optional(commandId),
    argv: argv,
    cwd: text(65_536, 1),
    env: record(anyText),
    session: orNull(session),
  }),
  execWait: id,
  execStop: id,
  reap: object({ session }),
  subscribe: nothing,
  down: nothing,
};

export type Validated<Name extends RequestName> =
  | { readonly ok: true; readonly params: Requests[Name][0] }
  | { readonly ok: false; readonly message: string };

/** On failure the message names each field that is wrong. Fields that nobody asked for are let pass. */
export function validateParams<Name extends RequestName>(name: Name, params: unknown): Validated<Name> {
  const problems = checks[name](params ?? {}, 'params');
  if (problems.length > 0) return { ok: false, message: problems.join('; ') };
  return { ok: true, params: (params ?? {}) as Requests[Name][0] };
}

/** Whether a method of this name exists. */
export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(checks, name);
}

function object(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isObject(value)) return [expected('an object', path, value)];
    return Object.entries(fields).flatMap(([key, check]) =>
      check(Object.hasOwn(value, key) ? value[key] : undefined, `${path}.${key}`),
    );
  };
}

function list(item: Check, most: number): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return [expected('a list', path, value)];
    if (value.length > most) return [`expected at most ${most} items at ${path}, got ${value.length}`];
    return value.flatMap((one: unknown, index) => item(one, `${path}[${index}]`));
  };
}

function record(item: Check): Check {
  return (value, path) => {
    if (!isObject(value)) return [expected('an object', path, value)];
    return Object.entries(value).flatMap(([key, one]) =>
      item(one, /^\w+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`),
    );
  };
}

/** A program and its arguments. */
function argv(value: unknown, path: string): string[] {
  const problems = list(anyText, Number.POSITIVE_INFINITY)(value, path);
  const hasProgram = Array.isArray(value) && typeof value[0] === 'string' && value[0] !== '';
  return problems.length > 0 || hasProgram ? problems : [`expected a program at ${path}[0], got nothing`];
}

function oneOf(words: readonly string[]): Check {
  return (value, path) =>
    typeof value === 'string' && words.includes(value) ? [] : [expected(`one of ${words.join(', ')}`, path, value)];
}

function number(least: number): Check {
  return (value, path) =>
    typeof value === 'number' && Number.isFinite(value) && value >= least
      ? []
      : [expected(`a number from ${least}`, path, value)];
}

function orNull(check: Check): Check {
  return (value, path) => (value === null ? [] : check(value, path));
}

function optional(check: Check): Check {
  return (value, path) => (value === undefined ? [] : check(value, path));
}

/** It becomes part of file names and of the marker of the command's tree. */
function commandId(value: unknown, path: string): string[] {
  return typeof value === 'string' && /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/.test(value)
    ? []
    : [expected('an id of at most 64 of a-z, 0-9, ".", "_" and "-"', path, value)];
}

function expected(what: string, path: string, value: unknown): string {
  const got =
    value === null ? 'null' : Array.isArray(value) ? 'a list' : value === undefined ? 'nothing' : typeof value;
  return `expected ${what} at ${path}, got ${got}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
