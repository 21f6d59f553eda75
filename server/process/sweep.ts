import { identityKey, liveness } from './identity.ts';
import { callerLine } from './membership.ts';
import { platform } from './platform/index.ts';
import { type SignalOutcome, signalGroup, signalProcess } from './signal.ts';
import type { ProcessTable } from './table.ts';
import type { TreeIdentity, TreeMember } from './types.ts';

/** What SIGKILL did to each process so far, by identity. `at` is when it was first sent, ms of the monotonic clock. */
export type KillRecord = Map<string, { readonly outcome: SignalOutcome; readonly at: number }>;

type Group = Pick<TreeIdentity, 'leader' | 'group' | 'session'>;

/** Sends SIGKILL to these members, group by group first: the kernel does that in one step, which no fork outruns. */
export async function killMembers(
  tree: TreeIdentity,
  members: readonly TreeMember[],
  table: ProcessTable | null,
  record: KillRecord,
): Promise<void> {
  if (platform.endTree !== null && mayEndTree(tree, table)) await platform.endTree(tree.leader.pid, true);
  const at = performance.now();
  const groups = groupsOf(tree, members, table);
  const inKilledGroup = new Set<number>();
  for (const group of groups) if (signalGroup(group, 'SIGKILL') === 'delivered') inKilledGroup.add(group.group);
  for (const member of members) {
    const key = identityKey(member.identity);
    const outcome = signalProcess(member.identity, 'SIGKILL');
    const before = record.get(key);
    const reached = outcome === 'gone' && inKilledGroup.has(table?.rowOf(member.identity)?.group ?? 0);
    record.set(key, {
      outcome: reached || before?.outcome === 'delivered' ? 'delivered' : outcome,
      at: before?.at ?? at,
    });
  }
}

/** Whether SIGKILL reached anybody: a process that had ended by itself before, or that is not ours, was not killed. */
export function wasAnyoneKilled(record: KillRecord): boolean {
  return [...record.values()].some(({ outcome }) => outcome === 'delivered');
}

/**
 * One member of each group in the tree. Whoever shares a group with a member shares its session, and every session of
 * a tree was made in it, so such a group holds nobody else.
 */
function groupsOf(tree: TreeIdentity, members: readonly TreeMember[], table: ProcessTable | null): Group[] {
  const groups = new Map<number, Group>();
  if (table === null) return [];
  for (const member of members) {
    const row = table.rowOf(member.identity);
    // The keeper stands in a session of the supervisor's making.
    if (!row || member.identity.pid === tree.keeper?.pid) continue;
    groups.set(row.group, { leader: member.identity, group: row.group, session: row.session });
  }
  return [...groups.values()].filter(({ group }) => !isGroupOfCaller(table, group));
}

/** Whether this process or an ancestor is in the group: then its members are signalled one by one. */
export function isGroupOfCaller(table: ProcessTable, group: number): boolean {
  return [...callerLine(table)].some((pid) => table.rows.get(pid)?.group === group);
}

/** Whether the platform's own tree kill may be aimed at this tree. */
export function mayEndTree(tree: TreeIdentity, table: ProcessTable | null): boolean {
  return table !== null && liveness(tree.leader) === 'alive' && parentPidsAreTrue(table, tree.leader.pid);
}

/** `taskkill /T` follows parent pids blindly: false when one of them may be a recycled one. */
export function parentPidsAreTrue(table: ProcessTable, root: number): boolean {
  const pids = new Set([root, ...table.descendantsOf(root).map((row) => row.pid)]);
  return [...pids].every((pid) => table.childrenOf(pid).every((row) => pids.has(row.pid)));
}
