/**
 * How the registry lies on the disk: `registry.json`, written whole from time to time, and `registry.changes.jsonl`,
 * the changes since, one line each. `changes` in the first says up to which change it goes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classifyIoError, type IoFailure, isMissing } from './ioFailure.ts';
import { quarantineCopy, quarantineFile } from './quarantine.ts';
import { parseObject } from './smallFile.ts';
import { isObject, parseTreeRecord } from './treeRecord.ts';
import type { TreeRecord } from './types.ts';

export type RegistryChange =
  | { readonly change: number; readonly set: TreeRecord }
  | { readonly change: number; readonly remove: string }
  /** Without a value: the service is forgotten. */
  | { readonly change: number; readonly service: string; readonly value: unknown }
  /** What was asked for and is not done yet, a part each; `null` for one that is over. */
  | { readonly change: number; readonly intent: Readonly<Record<string, unknown>> };

export interface RegistryContent {
  readonly trees: ReadonlyMap<string, TreeRecord>;
  readonly services: Readonly<Record<string, unknown>>;
  /** What was asked for and is not done yet (opaque to the store). */
  readonly intent: Readonly<Record<string, unknown>>;
  /** Who wrote it; `null` when there is none. */
  readonly supervisor: { readonly pid: number; readonly startTime: string } | null;
  /** Number of the last change. */
  readonly change: number;
  readonly findings: readonly RegistryFinding[];
}

export type RegistryFinding =
  /** The whole file, or `records` records of it, could not be understood. */
  | {
      readonly kind: 'registry_corrupt';
      readonly path: string;
      readonly records: number | 'all';
      readonly aside: string | null;
    }
  | { readonly kind: 'registry_unreadable'; readonly path: string; readonly failure: IoFailure };

export function registryFiles(stateDir: string): { whole: string; changes: string } {
  return { whole: join(stateDir, 'registry.json'), changes: join(stateDir, 'registry.changes.jsonl') };
}

/**
 * What the registry holds, for anyone. `setAside` (only the holder of the claim may) moves what cannot be understood
 * out of the way. A file that cannot be read just now (EACCES, EMFILE, EBUSY) is not corrupt and stays.
 */
export function readRegistry(stateDir: string, options: { setAside?: boolean } = {}): RegistryContent {
  const { setAside = false } = options;
  const files = registryFiles(stateDir);
  const findings: RegistryFinding[] = [];
  const trees = new Map<string, TreeRecord>();
  // The changes first: they are emptied after the whole file was renewed, so that in the other order a tree that was
  // entered meanwhile could be in neither.
  const changes = readText(files.changes, findings);
  const whole = readWhole(files.whole, trees, findings, setAside);
  const services = new Map(Object.entries(whole.services));
  const intent = new Map(Object.entries(whole.intent));
  let change = whole.change;
  let bad = 0;
  const lines = changes.split('\n');
  // Whoever only looks may see the last line half written by a living supervisor; it is not yet entered then.
  if (!setAside) lines.pop();
  for (const line of lines) {
    if (line === '') continue;
    const read = parseChange(line);
    if (read === null) {
      bad += 1;
      continue;
    }
    // Changes that the whole file contains already: its writer was killed before it could empty this one.
    if (read.change <= whole.change) continue;
    change = Math.max(change, read.change);
    if ('set' in read) trees.set(read.set.key, read.set);
    else if ('remove' in read) trees.delete(read.remove);
    else if ('intent' in read) applyIntent(intent, read.intent);
    else if (read.value === undefined) services.delete(read.service);
    else services.set(read.service, read.value);
  }
  if (bad > 0) {
    const aside = setAside ? quarantineCopy(files.changes) : null;
    findings.push({ kind: 'registry_corrupt', path: files.changes, records: bad, aside });
  }
  return {
    trees,
    services: Object.fromEntries(services),
    intent: Object.fromEntries(intent),
    supervisor: whole.supervisor,
    change,
    findings,
  };
}

/** Puts changes of intent into what is held of it. */
export function applyIntent(intent: Map<string, unknown>, changes: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) intent.delete(key);
    else intent.set(key, value);
  }
}

type Whole = Pick<RegistryContent, 'services' | 'intent' | 'supervisor' | 'change'>;

const NOTHING: Whole = { services: {}, intent: {}, supervisor: null, change: 0 };

function readWhole(
  path: string,
  trees: Map<string, TreeRecord>,
  findings: RegistryFinding[],
  setAside: boolean,
): Whole {
  const text = readText(path, findings);
  if (text === '' && !isEmptyFile(path)) return NOTHING;
  const value = parseObject(text);
  if (value === null || value.version !== 1 || !Array.isArray(value.trees)) {
    findings.push({ kind: 'registry_corrupt', path, records: 'all', aside: setAside ? quarantineFile(path) : null });
    return NOTHING;
  }
  let bad = 0;
  for (const one of value.trees) {
    const record = parseTreeRecord(one);
    if (record === null) bad += 1;
    else trees.set(record.key, record);
  }
  // Copied, not moved: until it is written anew the good records must stay where they are found.
  if (bad > 0)
    findings.push({ kind: 'registry_corrupt', path, records: bad, aside: setAside ? quarantineCopy(path) : null });
  const { supervisor, services, intent, changes } = value;
  const writer = isObject(supervisor) ? supervisor : {};
  const known = typeof writer.pid === 'number' && typeof writer.startTime === 'string';
  return {
    services: isObject(services) ? services : {},
    intent: isObject(intent) ? intent : {},
    supervisor: known ? { pid: writer.pid as number, startTime: writer.startTime as string } : null,
    change: Number.isSafeInteger(changes) ? (changes as number) : 0,
  };
}

function parseChange(line: string): RegistryChange | null {
  const value = parseObject(line);
  if (value === null || !Number.isSafeInteger(value.change)) return null;
  const change = value.change as number;
  if (typeof value.remove === 'string') return { change, remove: value.remove };
  if (typeof value.service === 'string') return { change, service: value.service, value: value.value };
  if (isObject(value.intent)) return { change, intent: value.intent };
  const set = parseTreeRecord(value.set);
  return set === null ? null : { change, set };
}

function readText(path: string, findings: RegistryFinding[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) findings.push({ kind: 'registry_unreadable', path, failure: classifyIoError(error, path) });
    return '';
  }
}

/** An empty file is a torn one, as a loss of power leaves it; no file is the normal beginning. */
function isEmptyFile(path: string): boolean {
  try {
    return readFileSync(path).length === 0;
  } catch {
    return false;
  }
}
