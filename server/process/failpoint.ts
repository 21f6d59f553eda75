/**
 * Failure points: places where a test has this process fail, wait or die, at the very system call. They are compiled
 * into the test build alone (`node esbuild.config.ts --failpoints`): the shipped one has `undefined` for
 * `process.env.COPPICE_FAILPOINTS`, so that the guard of every call, and with it this file, is left out.
 *
 * `COPPICE_FAILPOINTS` holds rules, `<file>:<step>=<action>[@<which>]`, separated by `;` or line feeds:
 *
 *   file    the end of the path that is written, `*` for any characters but `/`: `registry.json`, `.coppice/*`
 *   step    open, write, fsync, rename, folder (the flush of the folder), link, truncate, unlink; `*` for any
 *   action  fail:<code>     throws as the system does, such as `fail:ENOSPC`
 *           part:<code>     half of the bytes are written, and the rest is refused (a disk that fills up)
 *           delay:<ms>      waits first
 *           die             SIGKILL of this process, before the step
 *           torn[:<bytes>]  SIGKILL after so many bytes were written, half of them by default
 *   which   n: the nth time alone. n+: from the nth time on. Left out: every time.
 *
 * Or it holds `@<path>` of a file of rules, which is read anew each time, so that one process can be led through many
 * cases. Each time that a rule acts `<path>.hits` gets a line, and a rule that kills renames the file to `<path>.fired`
 * first: the successor, which inherits the environment, lives.
 */
import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killSelf } from './signal.ts';

export type FailpointStep = 'open' | 'write' | 'fsync' | 'rename' | 'folder' | 'link' | 'truncate' | 'unlink';

export type FailpointAction =
  | { readonly kind: 'fail'; readonly code: string }
  | { readonly kind: 'part'; readonly code: string }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'die' }
  | { readonly kind: 'torn'; readonly bytes: number | null };

export interface FailpointRule {
  readonly text: string;
  readonly file: RegExp;
  readonly step: string;
  readonly action: FailpointAction;
  readonly from: number;
  readonly to: number;
}

/** Before a step at `path`. Throws, waits (holding everything up), dies, or does nothing. */
export function failpoint(step: FailpointStep, path: string): void {
  const action = actionAt(step, path);
  if (action?.kind === 'delay') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, action.ms);
  else if (action !== null) act(action, step, path);
}

/** As `failpoint`, and other work goes on while it waits. */
export async function failpointAsync(step: FailpointStep, path: string): Promise<void> {
  const action = actionAt(step, path);
  if (action?.kind === 'delay') await sleep(action.ms);
  else if (action !== null) act(action, step, path);
}

/**
 * Before a write of `length` bytes, `at` of which are written already: how many the system is to be given, and whether
 * this process is to die once they are written.
 */
export function failpointWrite(path: string, length: number, at: number): { readonly take: number; dies: boolean } {
  const refused = refusedRest.get(path);
  refusedRest.delete(path);
  if (at > 0) {
    if (refused !== undefined) throw systemError(refused, 'write', path);
    return { take: length - at, dies: false };
  }
  const action = actionAt('write', path);
  const half = Math.floor(length / 2);
  if (action?.kind === 'part') {
    refusedRest.set(path, action.code);
    return { take: half, dies: false };
  }
  if (action?.kind === 'torn') return { take: Math.min(length, action.bytes ?? half), dies: true };
  if (action?.kind === 'delay') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, action.ms);
  else if (action !== null) act(action, 'write', path);
  return { take: length, dies: false };
}

/** Throws for rules that cannot be understood: a test that means nothing must not pass. */
export function parseFailpoints(text: string): FailpointRule[] {
  return text
    .split(/[;\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(parseRule);
}

function parseRule(text: string): FailpointRule {
  const match = /^(?<file>[^:=]+):(?<step>[a-z]+|\*)=(?<action>[^@]+)(?:@(?<from>\d+)(?<on>\+)?)?$/.exec(text);
  const { file = '', step = '', action = '', from, on } = match?.groups ?? {};
  const parsed = parseAction(action);
  if (parsed === null || (step !== '*' && !STEPS.has(step))) throw new Error(`not a failure point: ${text}`);
  const pattern = file.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return {
    text,
    file: new RegExp(`(?:^|/)${pattern}$`),
    step,
    action: parsed,
    from: Number(from ?? 1),
    to: from === undefined || on !== undefined ? Number.POSITIVE_INFINITY : Number(from),
  };
}

function parseAction(text: string): FailpointAction | null {
  const [kind = '', value] = text.split(':');
  switch (kind) {
    case 'fail':
    case 'part':
      return value !== undefined && /^E[A-Z0-9]+$/.test(value) ? { kind, code: value } : null;
    case 'delay':
      return value !== undefined && /^\d+$/.test(value) ? { kind, ms: Number(value) } : null;
    case 'die':
      return value === undefined ? { kind } : null;
    case 'torn':
      return value === undefined || /^\d+$/.test(value)
        ? { kind, bytes: value === undefined ? null : Number(value) }
        : null;
    default:
      return null;
  }
}

const STEPS: ReadonlySet<string> = new Set([
  'open',
  'write',
  'fsync',
  'rename',
  'folder',
  'link',
  'truncate',
  'unlink',
]);

/** Rules as they were read last, and how often each has been met since. */
let known: { readonly text: string; readonly rules: readonly FailpointRule[] } = { text: '', rules: [] };
const met = new Map<FailpointRule, number>();
/** Files of which half a write was taken: the rest is refused with this code. */
const refusedRest = new Map<string, string>();

function actionAt(step: FailpointStep, path: string): FailpointAction | null {
  const setting = process.env.COPPICE_FAILPOINTS ?? '';
  const file = setting.startsWith('@') ? setting.slice(1) : null;
  const text = file === null ? setting : readRules(file);
  if (text !== known.text) {
    known = { text, rules: parseFailpoints(text) };
    met.clear();
  }
  let chosen: FailpointAction | null = null;
  for (const rule of known.rules) {
    if ((rule.step !== '*' && rule.step !== step) || !rule.file.test(path)) continue;
    const time = (met.get(rule) ?? 0) + 1;
    met.set(rule, time);
    if (chosen !== null || time < rule.from || time > rule.to) continue;
    chosen = rule.action;
    if (file !== null) record(file, rule, step, path);
  }
  return chosen;
}

function act(action: Exclude<FailpointAction, { kind: 'delay' }>, step: FailpointStep, path: string): void {
  switch (action.kind) {
    case 'fail':
    case 'part':
      throw systemError(action.code, step, path);
    case 'die':
    case 'torn':
      killSelf();
      return;
    default:
      action satisfies never;
  }
}

function systemError(code: string, step: string, path: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${step} '${path}'`), { code });
}

function readRules(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function record(file: string, rule: FailpointRule, step: string, path: string): void {
  appendFileSync(`${file}.hits`, `${JSON.stringify({ pid: process.pid, rule: rule.text, step, path })}\n`);
  if (rule.action.kind === 'die' || rule.action.kind === 'torn') renameSync(file, `${file}.fired`);
}
