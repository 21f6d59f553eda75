import { createSnapshotReader } from '../snapshot.ts';
import type { Platform, TableReading } from '../types.ts';
import {
  ENVIRONMENT_COMMAND,
  HELPER_ENVIRONMENT,
  parseMarkers,
  parseProcessTable,
  startTimeMs,
  TABLE_COMMAND,
} from './parse.ts';

const reader = createSnapshotReader(read);

/** macOS, and whatever other Unix has a BSD `ps`. */
export const darwin: Platform = {
  // Start times are dates here, so they tell one boot from another by themselves.
  bootId: () => 'start-times-are-dates',
  observe: reader.observe,
  readTable: reader.readTable,
  readTableAsync: reader.readTableAsync,
  compareStartTimes: (a, b) => startTimeMs(a) - startTimeMs(b) || 0,
  readEnvironmentVariable: () => 'unreadable',
  readCommandLine(pid) {
    const row = reader.readTable().rows.get(pid);
    return row === undefined ? [] : [row.name];
  },
  groupTrust: 'unless-recycled',
  scanIntervalMs: 50,
  endTree: null,
};

async function read(): Promise<TableReading> {
  // Loaded late: the launcher needs identities, and identities need this reader.
  const { runHelper } = await import('../../launch.ts');
  const options = { env: HELPER_ENVIRONMENT, timeoutMs: 5000, maxBytes: 16 * 1024 * 1024 };
  const [table, environment] = await Promise.all([
    runHelper([...TABLE_COMMAND], options),
    runHelper([...ENVIRONMENT_COMMAND], options),
  ]);
  if (!table.ok || table.code !== 0)
    throw new Error(`the process table could not be read: ${TABLE_COMMAND.join(' ')} failed`);
  const rows = parseProcessTable(table.stdout);
  if (!rows.has(process.pid)) throw new Error('the process table could not be read: it lacks this very process');
  const markers =
    environment.ok && environment.code === 0 ? parseMarkers(environment.stdout) : new Map<number, string>();
  return { rows, markerOf: (row) => markers.get(row.pid) ?? 'unreadable' };
}
