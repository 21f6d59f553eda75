/** What the tormented left in writing: rolls, counts and logs of the services themselves, and the journal beside them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CAST, TASKS } from './cast.ts';

export interface RollEntry {
  readonly marker: string;
  readonly pid: number;
  /** `began`, or how it ended by itself: `0`, `3`, `SIGABRT`. */
  readonly what: string;
}

export interface Event {
  readonly seq: number;
  readonly event: string;
  readonly name?: string;
  readonly incarnation?: number;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly [field: string]: unknown;
}

export function readRoll(rolls: string, name: string): RollEntry[] {
  return lines(join(rolls, name)).flatMap((line) => {
    const [marker = '', pid, word = '', ending] = line.split(' ');
    return marker === '' ? [] : [{ marker, pid: Number(pid), what: ending ?? word }];
  });
}

/** The journal, rotated parts first. `torn` counts lines that are no JSON. */
export function readEvents(stateDir: string): { readonly events: readonly Event[]; readonly torn: number } {
  const names = existsSync(stateDir) ? readdirSync(stateDir) : [];
  const rotated = names.filter((name) => /^events\.\d+\.jsonl$/.test(name));
  rotated.sort((a, b) => Number(b.split('.')[1]) - Number(a.split('.')[1]));
  let torn = 0;
  const events = [...rotated, 'events.jsonl'].flatMap((name) =>
    lines(join(stateDir, name)).flatMap((line) => {
      try {
        return [JSON.parse(line) as Event];
      } catch {
        torn += 1;
        return [];
      }
    }),
  );
  return { events, torn };
}

/** Every line that a counting child printed must be in its log once and in order, up to what it knows to have written. */
export function countingFaults(stateDir: string, rolls: string, living: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  for (const { name } of CAST.filter((one) => one.counts)) {
    // How far they have come is read before the log: those that live go on counting meanwhile.
    const written = readShadows(rolls, name);
    const last = new Map<string, number>();
    let current = '';
    for (const line of logLines(stateDir, name)) {
      const [marker = '', number] = line.split(' ');
      const before = last.get(marker) ?? 0;
      if (Number(number) !== before + 1) faults.push(`${name}: after ${marker} ${before} its log has "${line}"`);
      if (marker !== current && before > 0) faults.push(`${name}: two starts print at the same time (${marker})`);
      current = marker;
      last.set(marker, Number(number));
    }
    for (const [random, count] of written) {
      const [marker = '', logged = 0] = [...last].find(([one]) => one.endsWith(`/${random}`)) ?? [];
      const tooMany = logged > count + 1 && !living.has(marker);
      if (logged < count || tooMany) faults.push(`${name}: ${random} wrote ${count} lines, its log has ${logged}`);
    }
  }
  return faults.slice(0, 5);
}

/** By the random part of its marker, how many lines each start knows to have written. */
function readShadows(rolls: string, name: string): Map<string, number> {
  const files = readdirSync(rolls).filter((one) => one.startsWith(`${name}.`));
  return new Map(files.map((file) => [file.slice(name.length + 1), Number(readFileSync(join(rolls, file), 'latin1'))]));
}

/** How many lines have been counted. */
export function countedLines(stateDir: string): number {
  return CAST.filter((one) => one.counts).reduce((sum, { name }) => sum + logLines(stateDir, name).length, 0);
}

/**
 * Each start that a service signed is known to the journal by incarnation, each ended one has its end there exactly
 * once, and an end that it signed itself is the one that was recorded.
 */
export function accountingFaults(
  stateDir: string,
  rolls: string,
  living: ReadonlySet<string>,
  tornOnPurpose: number,
): string[] {
  const { events, torn } = readEvents(stateDir);
  const faults: string[] = [];
  if (torn > tornOnPurpose) faults.push(`${torn} lines of the journal are no JSON`);
  events.forEach((event, index) => {
    const before = events[index - 1];
    if (before !== undefined && event.seq !== before.seq + 1)
      faults.push(`journal: ${event.seq} follows ${before.seq}`);
  });
  const exits = new Map<string, Event[]>();
  const spawns = new Map<string, number>();
  const unrecorded = new Set<string>();
  for (const event of events) {
    const key = `${event.name}/${event.incarnation}`;
    if (event.event === 'service_exited') exits.set(key, [...(exits.get(key) ?? []), event]);
    if (event.event === 'service_spawned' || event.event === 'adopted') spawns.set(key, (spawns.get(key) ?? 0) + 1);
    if (event.event === 'reconciled' && event.verdict === 'unrecorded') unrecorded.add(key);
  }
  for (const { name } of CAST)
    faults.push(...rollFaults(name, readRoll(rolls, name), { exits, spawns, unrecorded, living }));
  for (const name of TASKS) faults.push(...taskFaults(name, readRoll(rolls, name), events));
  return faults;
}

interface Account {
  readonly exits: ReadonlyMap<string, readonly Event[]>;
  readonly spawns: ReadonlyMap<string, number>;
  readonly unrecorded: ReadonlySet<string>;
  readonly living: ReadonlySet<string>;
}

function rollFaults(name: string, roll: readonly RollEntry[], account: Account): string[] {
  const faults: string[] = [];
  const began = new Map<string, string[]>();
  for (const { marker, what } of roll) {
    const key = `${name}/${marker.split('/').at(-2)}`;
    if (what === 'began') began.set(key, [...(began.get(key) ?? []), marker]);
    const known = account.exits.get(key)?.[0];
    if (what === 'began' || account.living.has(marker) || known === undefined) continue;
    // A stop may come between its signature and its end.
    const recorded = known.signal ?? String(known.code);
    if (recorded !== what && known.likelyCause !== 'requested_stop' && known.signal !== 'SIGKILL') {
      faults.push(`${key} ended with ${what}, recorded is ${recorded}`);
    }
  }
  for (const [key, markers] of began) {
    const ended = markers.filter((marker) => !account.living.has(marker));
    if (account.unrecorded.has(key)) continue;
    if (markers.length > 1) faults.push(`${key} was started ${markers.length} times`);
    if (!account.spawns.has(key)) faults.push(`${key} was started, and the journal does not know`);
    const exits = account.exits.get(key) ?? [];
    if (ended.length === markers.length && exits.length !== 1)
      faults.push(`${key} has ${exits.length} ends in the journal`);
    for (const exit of exits) {
      if (exit.code === null && exit.signal === null) faults.push(`${key} ended, and nobody knows how`);
    }
  }
  return faults;
}

/** A task is started once a run, and what it ended with is what the run says. */
function taskFaults(name: string, roll: readonly RollEntry[], events: readonly Event[]): string[] {
  const faults: string[] = [];
  const began = roll.filter(({ what }) => what === 'began').length;
  const succeeded = roll.filter(({ what }) => what === '0').length;
  const finished = events.filter((event) => event.event === 'task_finished' && event.name === name);
  const good = finished.filter((event) => event.state === 'succeeded').length;
  const runs = new Set(finished.map((event) => event.run));
  if (finished.length !== runs.size) faults.push(`task ${name}: ${finished.length} ends told of ${runs.size} runs`);
  if (good > succeeded) faults.push(`task ${name}: ${good} successes told, it knows of ${succeeded}`);
  if (began > runs.size) faults.push(`task ${name}: began ${began} times in ${runs.size} runs`);
  return faults;
}

function logLines(stateDir: string, name: string): string[] {
  const folder = join(stateDir, 'logs');
  return [`${name}.log.1`, `${name}.log`].flatMap((file) => lines(join(folder, file)));
}

function lines(path: string): string[] {
  if (!existsSync(path)) return [];
  const all = readFileSync(path, 'utf8').split('\n');
  all.pop();
  return all;
}
