import { bootId, isValidPid } from './identity.ts';
import { platform } from './platform/index.ts';
import type { EnvironmentValue, TableReading } from './platform/types.ts';
import type { ProcessIdentity, ProcessRow } from './types.ts';

/** The processes of this machine at about one moment. Kernel threads are left out; zombies are in. */
export interface ProcessTable {
  readonly rows: ReadonlyMap<number, ProcessRow>;
  readonly bootId: string;
  childrenOf(pid: number): readonly ProcessRow[];
  /** Everything below `pid`, nearest first. A "child" older than its parent is the orphan of a recycled pid: left out. */
  descendantsOf(pid: number): ProcessRow[];
  /** Living processes that started at or after `since` and whose environment holds exactly this marker. */
  markedWith(marker: string, since: string): ProcessRow[];
  /** The row of this very process, zombie or not. */
  rowOf(identity: ProcessIdentity): ProcessRow | null;
  compareStartTimes(a: string, b: string): number;
}

/** Reads the table now. Off Linux this is the newest reading that `readProcessTableAsync` brought. */
export function readProcessTable(): ProcessTable {
  return createProcessTable(platform.readTable(), bootId(), platform.compareStartTimes);
}

export async function readProcessTableAsync(): Promise<ProcessTable> {
  return createProcessTable(await platform.readTableAsync(), bootId(), platform.compareStartTimes);
}

/** The value a variable had when the process was exec'ed; `null` when it has none or is gone. */
export function readEnvironmentVariable(pid: number, name: string): EnvironmentValue {
  return isValidPid(pid) ? platform.readEnvironmentVariable(pid, name) : null;
}

/** The command line of a process, empty when it cannot be read. */
export function readCommandLine(pid: number): string[] {
  return isValidPid(pid) ? platform.readCommandLine(pid) : [];
}

export function isDead(row: ProcessRow): boolean {
  return row.state === 'Z' || row.state === 'X' || row.state === 'x';
}

let waiting: Promise<ProcessTable> | null = null;
let reading: Promise<unknown> = Promise.resolve();
let lastEnd = 0;
let lastCost = 0;

/**
 * A table whose reading began after this call, shared by all who ask before it begins: fifty trees that stop at once
 * cost one scan, not fifty. Scans leave the event loop at least as much time as they take.
 */
export function nextTable(): Promise<ProcessTable> {
  waiting ??= beginReading(reading);
  return waiting;
}

async function beginReading(previous: Promise<unknown>): Promise<ProcessTable> {
  await previous;
  const pause = Math.max(platform.scanIntervalMs, lastCost) - (performance.now() - lastEnd);
  if (pause >= 1) await new Promise((resolve) => setTimeout(resolve, pause));
  else await new Promise((resolve) => setImmediate(resolve));
  waiting = null;
  const began = performance.now();
  const result = readProcessTableAsync();
  reading = result.then(
    () => undefined,
    () => undefined,
  );
  await reading;
  lastEnd = performance.now();
  lastCost = lastEnd - began;
  return result;
}

/** Builds a table over any reading; tests make theirs by hand. */
export function createProcessTable(
  reading: TableReading,
  currentBootId: string,
  compareStartTimes: (a: string, b: string) => number,
): ProcessTable {
  const { rows } = reading;
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows.values()) {
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
  }
  const childrenOf = (pid: number): readonly ProcessRow[] => children.get(pid) ?? [];
  return {
    rows,
    bootId: currentBootId,
    childrenOf,
    descendantsOf(pid) {
      const found: ProcessRow[] = [];
      const seen = new Set([pid]);
      const root = rows.get(pid);
      const queue: { pid: number; since: string | null }[] = [{ pid, since: root?.startTime ?? null }];
      for (const parent of queue) {
        for (const child of childrenOf(parent.pid)) {
          if (seen.has(child.pid)) continue;
          if (parent.since !== null && compareStartTimes(child.startTime, parent.since) < 0) continue;
          seen.add(child.pid);
          found.push(child);
          queue.push({ pid: child.pid, since: child.startTime });
        }
      }
      return found;
    },
    markedWith: createMarkerIndex(reading, compareStartTimes),
    rowOf(identity) {
      const row = rows.get(identity.pid);
      if (row === undefined || identity.startTime === '' || row.startTime !== identity.startTime) return null;
      return identity.bootId === currentBootId && currentBootId !== '' ? row : null;
    },
    compareStartTimes,
  };
}

/** Reads each environment at most once a table, and only of processes young enough to belong to a tree that asks. */
function createMarkerIndex(
  reading: TableReading,
  compareStartTimes: (a: string, b: string) => number,
): (marker: string, since: string) => ProcessRow[] {
  const byMarker = new Map<string, ProcessRow[]>();
  const unread = new Set<ProcessRow>();
  for (const row of reading.rows.values()) if (!isDead(row)) unread.add(row);
  let readSince: string | null = null;
  return (marker, since) => {
    if (marker === '') return [];
    if (readSince === null || compareStartTimes(since, readSince) < 0) {
      readSince = since;
      for (const row of unread) {
        if (compareStartTimes(row.startTime, since) < 0) continue;
        unread.delete(row);
        const value = reading.markerOf(row);
        if (value === null || value === 'unreadable') continue;
        const marked = byMarker.get(value);
        if (marked === undefined) byMarker.set(value, [row]);
        else marked.push(row);
      }
    }
    return (byMarker.get(marker) ?? []).filter((row) => compareStartTimes(row.startTime, since) >= 0);
  };
}
