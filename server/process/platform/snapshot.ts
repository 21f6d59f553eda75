/** For systems whose process table is only had from a helper command: the newest reading answers what must be sync. */
import { getPriority } from 'node:os';
import type { ProcessRow } from '../types.ts';
import type { Observation, TableReading } from './types.ts';

/** How old a reading may be to prove anything about a process, ms. Signals are sent right after a reading. */
const FRESH_MS = 1000;

export interface SnapshotReader {
  observe(pid: number): Observation;
  readTable(): TableReading;
  readTableAsync(): Promise<TableReading>;
}

export function createSnapshotReader(read: () => Promise<TableReading>, now = () => performance.now()): SnapshotReader {
  let newest: TableReading = { rows: new Map(), markerOf: () => 'unreadable' };
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    observe(pid) {
      if (!exists(pid)) return { kind: 'absent' };
      const row = now() - takenAt <= FRESH_MS ? newest.rows.get(pid) : undefined;
      if (row === undefined) return { kind: 'hidden', detail: 'not in a fresh reading of the process table' };
      return { kind: 'present', row, dead: isZombie(row) };
    },
    readTable: () => newest,
    async readTableAsync() {
      const began = now();
      newest = await read();
      takenAt = began;
      return newest;
    },
  };
}

/** getpriority(2) (OpenProcess on Windows) tells whether a pid is taken and sends no signal. */
function exists(pid: number): boolean {
  try {
    getPriority(pid);
    return true;
  } catch (error) {
    return (error as { info?: { code?: string } }).info?.code !== 'ESRCH';
  }
}

function isZombie(row: ProcessRow): boolean {
  return row.state.startsWith('Z');
}
