import { existsSync } from 'node:fs';
import { pidNamespace } from '../process/namespace.ts';
import { here } from '../process/place.ts';
import { isDead, type ProcessTable, readEnvironmentVariable, readProcessTableAsync } from '../process/table.ts';
import type { ProcessIdentity, ProcessRow, TreeIdentity } from '../process/types.ts';
import { readJournal } from '../store/journal.ts';
import { exitRecordPath, logPath } from '../store/paths.ts';
import type { JournalEvent, TreeRecord } from '../store/types.ts';

/** A tree of this workspace that runs and that the registry does not know. */
export interface UnrecordedTree {
  readonly name: string;
  readonly incarnation: number;
  readonly tree: TreeIdentity;
  /** What the registry held of it, told by the journal; `null` for a start that nobody had been told of yet. */
  readonly record: TreeRecord | null;
  /** It runs in another pid namespace, so that this one's supervisors have not started it. */
  readonly elsewhere: boolean;
}

/** Spawns that are looked for in the journal; older ones are of trees that have long ended. */
const LATEST_EVENTS = 5_000;
const KEEPER_NAME = 'coppice-keeper';

/**
 * Finds, by marker, the trees that a supervisor started and whose records are lost: it was killed between the launch
 * and the entry, or the registry was torn or removed. `expected` gives the record of a tree whose start was written down
 * before its launch, as those of tasks and commands are.
 */
export async function findUnrecorded(
  workspace: { readonly id: string; readonly stateDir: string },
  records: readonly TreeRecord[],
  expected: (tree: TreeIdentity) => TreeRecord | null = () => null,
): Promise<UnrecordedTree[]> {
  const table = await readProcessTableAsync();
  const known = new Set(records.map((record) => record.tree.marker));
  const groups = new Map<string, ProcessRow[]>();
  for (const row of table.rows.values()) {
    if (isDead(row) || row.pid === process.pid) continue;
    const marker = readEnvironmentVariable(row.pid, 'COPPICE_TREE');
    if (marker === null || marker === 'unreadable' || !marker.startsWith(`${workspace.id}/`)) continue;
    if (!known.has(marker)) groups.set(marker, [...(groups.get(marker) ?? []), row]);
  }
  if (groups.size === 0) return [];
  const spawns = readJournal(workspace.stateDir, { limit: LATEST_EVENTS }).events.filter(
    (event) => event.event === 'service_spawned',
  );
  return [...groups].flatMap(([marker, rows]) => {
    const found = describe(workspace.stateDir, table, marker, rows, spawns);
    if (found === null || found.record !== null || found.tree.group !== found.tree.leader.pid) return found ?? [];
    return { ...found, record: expected(found.tree) };
  });
}

function describe(
  stateDir: string,
  table: ProcessTable,
  marker: string,
  rows: readonly ProcessRow[],
  spawns: readonly JournalEvent[],
): UnrecordedTree | null {
  const named = parseMarker(marker);
  // The leader leads its session and is the oldest that does; what escaped into a session of its own came later.
  const oldestFirst = [...rows].sort((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid);
  const leader = oldestFirst.find((row) => row.session === row.pid && row.group === row.pid);
  const first = leader ?? oldestFirst[0];
  if (first === undefined || named === null) return null;
  const { name, incarnation } = named;
  const parent = table.rows.get(first.parent);
  const keeper = parent?.name === KEEPER_NAME ? identityOf(table, parent) : null;
  const identity = identityOf(table, first);
  const tree: TreeIdentity = { leader: identity, keeper, group: first.group, session: first.session, marker };
  const spawn = spawns.findLast((event) => event.pid === identity.pid && event.startTime === identity.startTime);
  const known = leader !== undefined && spawn !== undefined && spawn.name === name;
  const record = known ? recordOf(stateDir, name, incarnation, tree, spawn) : null;
  return { name, incarnation, tree, record, elsewhere: isElsewhere(first.pid) };
}

/** Where the namespace cannot be read, it is this one. */
function isElsewhere(pid: number): boolean {
  const namespace = pidNamespace(pid);
  return namespace !== null && namespace !== here().pidNamespace;
}

/**
 * What can be told of a service's tree by the process table alone, where the registry is lost and no journal reaches back
 * to its start. `null` for one whose log is gone as well: what it prints would be lost.
 */
export function recordFromTable(stateDir: string, tree: TreeIdentity): TreeRecord | null {
  const named = parseMarker(tree.marker);
  if (named === null || tree.keeper === null || !existsSync(logPath(stateDir, named.name))) return null;
  return recordOf(stateDir, named.name, named.incarnation, tree, { at: Date.now() });
}

/** As `startTree` entered it; who asked for it is not told, so that it is the configuration's. */
function recordOf(
  stateDir: string,
  name: string,
  incarnation: number,
  tree: TreeIdentity,
  spawn: { readonly at: number; readonly ports?: unknown; readonly outputOffset?: unknown },
): TreeRecord {
  const key = `service/${name}`;
  const ports = Array.isArray(spawn.ports) ? spawn.ports.filter((port) => Number.isSafeInteger(port)) : [];
  return {
    key,
    name,
    role: 'service',
    incarnation,
    tree,
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: logPath(stateDir, name),
    outputOffset: typeof spawn.outputOffset === 'number' ? spawn.outputOffset : 0,
    exitRecordPath: exitRecordPath(stateDir, key, incarnation),
    ports,
    startedAt: spawn.at,
    readyAt: null,
    environment: [],
    lineage: [],
  };
}

function parseMarker(marker: string): { readonly name: string; readonly incarnation: number } | null {
  const parts = marker.split('/');
  const [name, incarnation] = [parts.slice(1, -2).join('/'), Number(parts.at(-2))];
  return name !== '' && Number.isSafeInteger(incarnation) ? { name, incarnation } : null;
}

function identityOf(table: ProcessTable, row: ProcessRow): ProcessIdentity {
  return { pid: row.pid, startTime: row.startTime, bootId: table.bootId };
}
