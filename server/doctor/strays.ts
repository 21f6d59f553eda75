import type { DoctorFacts, MarkedProcess } from './facts.ts';
import type { CheckResult, Finding, StrayEntry } from './types.ts';

/** Processes that carry a marker of this workspace and belong to no tree that the registry knows. */
export function checkOrphans(facts: DoctorFacts): CheckResult<readonly StrayEntry[]> {
  const owned = new Set(facts.trees.flatMap(({ members }) => members.map((one) => one.identity.pid)));
  const keepers = new Set(
    facts.trees.flatMap(({ record }) => (record.tree.keeper === null ? [] : [record.tree.keeper.pid])),
  );
  const known = new Set(facts.trees.map(({ record }) => record.tree.marker));
  const orphans = facts.marked.filter(
    (one) =>
      !owned.has(one.pid) && !keepers.has(one.pid) && !known.has(one.marker) && !facts.supervisorPids.includes(one.pid),
  );
  const findings = orphans.map(
    (one): Finding => ({
      check: 'orphans',
      level: 'error',
      message: `pid ${one.pid} (${one.command || one.name}) was started by Coppice as ${nameInMarker(one.marker)} and belongs to no tree that is known`,
      fix: `look at it, and end it if it is a leftover: kill ${one.pid}`,
    }),
  );
  return { section: orphans.map(toEntry), findings };
}

/** Members that left the session of their tree (`setsid`, a double fork). They are found all the same when it stops. */
export function checkEscaped(facts: DoctorFacts): CheckResult<readonly StrayEntry[]> {
  const trees = new Map(facts.trees.map(({ record }) => [record.tree.marker, record]));
  const escaped = facts.marked.filter((one) => {
    const record = trees.get(one.marker);
    return record !== undefined && record.tree.keeper?.pid !== one.pid && one.session !== record.tree.session;
  });
  const findings = escaped.map(
    (one): Finding => ({
      check: 'escaped',
      level: 'info',
      message: `pid ${one.pid} (${one.command || one.name}) of ${trees.get(one.marker)?.name ?? 'a tree'} has left its session`,
      fix: null,
    }),
  );
  return { section: escaped.map(toEntry), findings };
}

function toEntry({ pid, name, command, marker, parent }: MarkedProcess): StrayEntry {
  return { pid, name, command, marker, parent };
}

/** `<workspace id>/<name>/<incarnation>/<random>`; a name may hold slashes of its own. */
function nameInMarker(marker: string): string {
  const parts = marker.split('/');
  return parts.length < 4 ? marker : parts.slice(1, -2).join('/');
}
