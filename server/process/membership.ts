/**
 * Who belongs to a process tree. Pure over one reading of the process table: the same table, tree and ledger always
 * give the same members.
 */
import { isValidPid } from './identity.ts';
import type { Ledger } from './ledger.ts';
import { platform } from './platform/index.ts';
import { isDead, type ProcessTable } from './table.ts';
import type { ProcessIdentity, ProcessRow, TreeIdentity, TreeMember } from './types.ts';

export { createLedger, type Ledger, type LedgerOptions } from './ledger.ts';

export interface CensusSettings {
  /** The calling process: it and its ancestors are never members, nor is anything found by descent from them. */
  readonly self?: number;
  readonly groupTrust?: 'corroborated' | 'unless-recycled';
}

/**
 * The living members of a tree, the keeper not among them. Five kinds of evidence are joined: descent from the keeper
 * (certain: it is a subreaper), descent from the leader, session and group, the exact marker, and the ledger.
 *
 * A group or session number counts only while it is provably still the tree's. The kernel does not reuse a number as
 * long as any process is in that group or session, so one member that is known otherwise and is in it now proves it.
 * If the leader is gone and nobody else is known, the number may be a stranger's, and nobody is taken by it.
 */
export function census(
  table: ProcessTable,
  tree: TreeIdentity,
  ledger: Pick<Ledger, 'identities'> | null = null,
  settings: CensusSettings = {},
): TreeMember[] {
  // A record of another boot describes nothing that can be running, whatever its numbers and marker say.
  if (tree.leader.bootId !== table.bootId) return [];
  const { self = process.pid, groupTrust = platform.groupTrust } = settings;
  const excluded = callerLine(table, self);
  const root = (identity: ProcessIdentity | null): ProcessRow | null => {
    const row = identity === null ? null : table.rowOf(identity);
    return row === null || excluded.has(row.pid) ? null : row;
  };
  const keeper = root(tree.keeper);
  const leader = root(tree.leader);

  const found = new Map<number, ProcessRow>();
  const marked = new Set<number>();
  const kept = new Set<number>();
  const take = (row: ProcessRow): void => {
    if (!isDead(row) && !excluded.has(row.pid) && row.pid !== keeper?.pid) found.set(row.pid, row);
  };
  if (keeper !== null) {
    for (const row of table.descendantsOf(keeper.pid)) {
      kept.add(row.pid);
      take(row);
    }
  }
  if (leader !== null) take(leader);
  for (const row of table.markedWith(tree.marker, tree.leader.startTime)) {
    marked.add(row.pid);
    take(row);
  }
  for (const identity of ledger?.identities() ?? []) {
    const row = root(identity);
    if (row !== null) take(row);
  }
  addDescendants(table, found, take);

  const numbers = provenNumbers(table, tree, found, leader, groupTrust);
  for (const row of table.rows.values()) {
    if (table.compareStartTimes(row.startTime, tree.leader.startTime) < 0) continue;
    if ((numbers.session && row.session === tree.session) || (numbers.group && row.group === tree.group)) take(row);
  }
  addDescendants(table, found, take);

  return [...found.values()].map((row) => ({
    identity: { pid: row.pid, startTime: row.startTime, bootId: table.bootId },
    evidence: evidenceFor(row),
    name: row.name,
  }));

  function evidenceFor(row: ProcessRow): TreeMember['evidence'] {
    if (row === leader) return 'leader';
    if (kept.has(row.pid)) return 'keeper';
    if (numbers.group && row.group === tree.group) return 'group';
    if (numbers.session && row.session === tree.session) return 'session';
    return marked.has(row.pid) ? 'marker' : 'lineage';
  }
}

/** Whether the numbers of group and session are, at this moment, still those of the tree. */
function provenNumbers(
  table: ProcessTable,
  tree: TreeIdentity,
  found: ReadonlyMap<number, ProcessRow>,
  leader: ProcessRow | null,
  trust: 'corroborated' | 'unless-recycled',
): { group: boolean; session: boolean } {
  const proofs = leader === null ? [...found.values()] : [leader, ...found.values()];
  const isNumber = (value: number): boolean => isValidPid(value) && value !== 1;
  const free = (number: number): boolean =>
    trust === 'unless-recycled' && tree.keeper === null && !table.rows.has(number);
  const session = isNumber(tree.session) && (proofs.some((row) => row.session === tree.session) || free(tree.session));
  const group =
    isNumber(tree.group) &&
    (proofs.some((row) => row.group === tree.group && (row.session === tree.session || row.session === 0)) ||
      free(tree.group));
  return { group, session };
}

/** Adds everything below the members that are known. */
function addDescendants(
  table: ProcessTable,
  found: ReadonlyMap<number, ProcessRow>,
  take: (row: ProcessRow) => void,
): void {
  const covered = new Set<number>();
  for (const row of [...found.values()]) {
    if (covered.has(row.pid)) continue;
    for (const below of table.descendantsOf(row.pid)) {
      covered.add(below.pid);
      take(below);
    }
  }
}

/** The calling process and its ancestors: never members, so never signalled, neither alone nor with a group. */
export function callerLine(table: ProcessTable, self: number = process.pid): Set<number> {
  const line = new Set<number>([1]);
  for (let pid = self; pid > 0 && !line.has(pid); pid = table.rows.get(pid)?.parent ?? 0) line.add(pid);
  return line;
}
