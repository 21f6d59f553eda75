import { createSnapshotReader } from '../snapshot.ts';
import type { Platform, TableReading } from '../types.ts';
import { parseProcessTable, tableCommand } from './parse.ts';

const reader = createSnapshotReader(read);

export const windows: Platform = {
  // Creation times are dates here, so they tell one boot from another by themselves.
  bootId: () => 'start-times-are-dates',
  observe: reader.observe,
  readTable: reader.readTable,
  readTableAsync: reader.readTableAsync,
  compareStartTimes,
  readEnvironmentVariable: () => 'unreadable',
  readCommandLine(pid) {
    const row = reader.readTable().rows.get(pid);
    return row === undefined ? [] : [row.name];
  },
  groupTrust: 'corroborated',
  scanIntervalMs: 250,
  endTree,
};

function systemRoot(): string {
  return process.env.SystemRoot ?? process.env.windir ?? 'C:\\Windows';
}

async function read(): Promise<TableReading> {
  // Loaded late: the launcher needs identities, and identities need this reader.
  const { runHelper } = await import('../../launch.ts');
  const answer = await runHelper(tableCommand(systemRoot()), { timeoutMs: 15_000, maxBytes: 16 * 1024 * 1024 });
  if (!answer.ok || answer.code !== 0) throw new Error('the process table could not be read: the CIM query failed');
  const rows = parseProcessTable(answer.stdout);
  if (!rows.has(process.pid)) throw new Error('the process table could not be read: it lacks this very process');
  return { rows, markerOf: () => 'unreadable' };
}

/** `taskkill /T` walks down from a living root only: it goes first, and the census finds what it left. */
async function endTree(pid: number, force: boolean): Promise<void> {
  const { runHelper } = await import('../../launch.ts');
  const argv: [string, ...string[]] = [`${systemRoot()}\\System32\\taskkill.exe`, '/PID', String(pid), '/T'];
  if (force) argv.push('/F');
  await runHelper(argv, { timeoutMs: 10_000, maxBytes: 64 * 1024 });
}

/** Ticks of 100 ns exceed what a double holds exactly. */
function compareStartTimes(a: string, b: string): number {
  if (a === '' || b === '') return 0;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
