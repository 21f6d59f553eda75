import type { DoctorFacts, MarkedProcess } from './facts.ts';
import { quotes } from './say.ts';
import type { CheckResult, Finding, StrayEntry } from './types.ts';

/** Processes that carry a marker of this workspace and belong to no tree that the registry knows. */
export function checkOrphans(facts: DoctorFacts): CheckResult<readonly StrayEntry[]> {
  const supervised = facts.holder === 'alive';
  const findings = orphansOf(facts).map((one): Finding => {
    const message = `pid ${one.pid} (${one.command || one.name}) was started by Coppice as ${nameInMarker(one.marker)} and belongs to no tree that is known`;
    const fix = supervised
      ? `the supervisor ends it when it has seen it twice, within a minute; else: ${quotes(`kill ${one.pid}`)}`
      : `${quotes('coppice up')} adopts or ends it; ${quotes('coppice doctor --fix')} ends what is a leftover for certain`;
    return { check: 'orphans', level: 'error', message, fix };
  });
  return { section: orphansOf(facts).map(toEntry), findings };
}

export function orphansOf(facts: DoctorFacts): MarkedProcess[] {
  const owned = new Set(facts.trees.flatMap(({ members }) => members.map((one) => one.identity.pid)));
  const keepers = new Set(
    facts.trees.flatMap(({ record }) => (record.tree.keeper === null ? [] : [record.tree.keeper.pid])),
  );
  const known = new Set(facts.trees.map(({ record }) => record.tree.marker));
  // With the registry removed, its supervisor knows better than any record.
  const { answer } = facts;
  const knows = (one: MarkedProcess): boolean =>
    answer.kind === 'answered' && (answer.leaders.includes(one.pid) || answer.names.includes(nameInMarker(one.marker)));
  for (const one of facts.marked) if (knows(one)) known.add(one.marker);
  const supervisors = new Set(facts.supervisors.map((one) => one.identity.pid));
  return facts.marked.filter(
    (one) => !owned.has(one.pid) && !keepers.has(one.pid) && !known.has(one.marker) && !supervisors.has(one.pid),
  );
}

/** Members that left the session of their tree (`setsid`, a double fork). They are found all the same when it stops. */
export function checkEscaped(facts: DoctorFacts): CheckResult<readonly StrayEntry[]> {
  const trees = new Map(facts.trees.map(({ record }) => [record.tree.marker, record]));
  const byMarker = facts.marked.filter((one) => {
    const record = trees.get(one.marker);
    return record !== undefined && record.tree.keeper?.pid !== one.pid && one.session !== record.tree.session;
  });
  // Those that dropped their environment are known by descent alone.
  const marked = new Set(facts.marked.map((one) => one.pid));
  const byDescent = facts.trees.flatMap(({ record, members, abroad }) =>
    members
      .filter(
        ({ evidence, identity }) =>
          (evidence === 'keeper' || evidence === 'lineage') && abroad.has(identity.pid) && !marked.has(identity.pid),
      )
      .map(({ identity, name }) => ({
        entry: { pid: identity.pid, name, command: '', marker: record.tree.marker, parent: 0 },
        tree: record.name,
        how: 'has left its session and dropped its environment',
      })),
  );
  const escaped = [
    ...byMarker.map((one) => ({
      entry: toEntry(one),
      tree: trees.get(one.marker)?.name ?? 'a tree',
      how: 'has left its session',
    })),
    ...byDescent,
  ];
  const findings = escaped.map(({ entry, tree, how }): Finding => {
    const message = `pid ${entry.pid} (${entry.command || entry.name}) of ${tree} ${how}; it is found all the same when ${tree} stops`;
    return { check: 'escaped', level: 'info', message, fix: null };
  });
  return { section: escaped.map((one) => one.entry), findings };
}

function toEntry({ pid, name, command, marker, parent }: MarkedProcess): StrayEntry {
  return { pid, name, command, marker, parent };
}

/** `<workspace id>/<name>/<incarnation>/<random>`; a name may hold slashes of its own. */
export function nameInMarker(marker: string): string {
  const parts = marker.split('/');
  return parts.length < 4 ? marker : parts.slice(1, -2).join('/');
}
