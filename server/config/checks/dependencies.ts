import { closest } from '../../text/suggest.ts';
import { type ConfigPath, nodeAt, type SourceDocument, type SourceProblem } from '../document/document.ts';
import type { DependencyCondition } from '../model.ts';
import { asMap, type RawEntry } from './entries.ts';

/** What each kind of entry can be waited for; the first is the default. */
export const FITTING_CONDITIONS: Readonly<
  Record<RawEntry['type'], readonly [DependencyCondition, ...DependencyCondition[]]>
> = {
  service: ['ready', 'started', 'completed'],
  task: ['succeeded'],
};

/** Dependencies that exist, can come true, and do not wait for each other. */
export function checkDependencies(entries: readonly RawEntry[], document: SourceDocument): SourceProblem[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const edges = new Map(entries.map((entry) => [entry.name, dependenciesOf(entry)]));
  const problems: SourceProblem[] = [];
  const report = (path: ConfigPath, found: Omit<SourceProblem, 'path' | 'start' | 'end'>) => {
    const node = nodeAt(document, path);
    // In a map the name is the key; in a list it is the item.
    const onKey = found.suggestion !== undefined && found.code === 'dependency' && node?.key;
    const span = (onKey || node) ?? { start: 0, end: 0 };
    problems.push({ ...found, path, start: span.start, end: span.end });
  };
  for (const entry of entries) {
    const listed = new Set<string>();
    for (const { name, condition, path } of edges.get(entry.name) ?? []) {
      const target = byName.get(name);
      if (target === undefined) {
        const names = [...byName.keys()].filter((other) => other !== entry.name);
        const message = `there is no service and no task named \`${name}\``;
        report(path, { severity: 'error', code: 'dependency', message, suggestion: closest(name, names) });
        continue;
      }
      const complaint = complaintAbout(entry, target, condition);
      if (complaint !== null) report(path, complaint);
      if (listed.has(name)) {
        report(path, { severity: 'warning', code: 'dependency', message: `\`${name}\` is listed twice` });
      }
      listed.add(name);
    }
  }
  for (const cycle of cyclesOf(edges)) {
    const [first = '', second = first] = cycle;
    const path = edges.get(first)?.find(({ name }) => name === second)?.path ?? [];
    const message = `these wait for each other, so none can start: ${[...cycle, first].join(' -> ')}`;
    report(path, { severity: 'error', code: 'cycle', message });
  }
  return problems;
}

interface RawDependency {
  readonly name: string;
  readonly condition: unknown;
  readonly path: ConfigPath;
}

function dependenciesOf({ raw, path }: RawEntry): RawDependency[] {
  const { dependsOn } = raw;
  const base = [...path, 'dependsOn'];
  if (Array.isArray(dependsOn)) {
    return dependsOn.flatMap((name: unknown, index) =>
      typeof name === 'string' ? [{ name, condition: null, path: [...base, index] }] : [],
    );
  }
  return Object.entries(asMap(dependsOn)).map(([name, condition]) => ({ name, condition, path: [...base, name] }));
}

function complaintAbout(
  entry: RawEntry,
  target: RawEntry,
  condition: unknown,
): Omit<SourceProblem, 'path' | 'start' | 'end'> | null {
  const fitting = FITTING_CONDITIONS[target.type];
  const known = [...FITTING_CONDITIONS.service, ...FITTING_CONDITIONS.task];
  if (typeof condition === 'string' && known.includes(condition as DependencyCondition)) {
    if (!fitting.includes(condition as DependencyCondition)) {
      const list = fitting.map((word) => `\`${word}\``).join(', ');
      const message = `\`${target.name}\` is a ${target.type}: expected ${list}, found \`${condition}\``;
      return { severity: 'error', code: 'wrong-value', message, suggestion: fitting[0] };
    }
  }
  const { enabled, restart } = target.raw;
  const policy = typeof restart === 'object' ? asMap(restart).policy : restart;
  if (condition === 'completed' && policy === 'always') {
    const message = `\`${target.name}\` is restarted \`always\`, so it never completes`;
    return { severity: 'warning', code: 'dependency', message };
  }
  if (target.type === 'service' && enabled === false && entry.raw.enabled !== false) {
    const message = `\`${target.name}\` is not enabled: \`${entry.name}\` waits until somebody starts it`;
    return { severity: 'warning', code: 'dependency', message };
  }
  return null;
}

/** Each cycle once, from its first entry in the order of the file. Without recursion: chains may be long. */
function cyclesOf(edges: ReadonlyMap<string, readonly RawDependency[]>): string[][] {
  const order = new Map([...edges.keys()].map((name, index) => [name, index]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of edges.keys()) {
    if (done.has(start)) continue;
    const trail: string[] = [start];
    const places = new Map([[start, 0]]);
    const pending = [[...(edges.get(start) ?? [])]];
    while (trail.length > 0) {
      const next = pending.at(-1)?.shift();
      if (next === undefined) {
        const finished = trail.pop() ?? '';
        pending.pop();
        places.delete(finished);
        done.add(finished);
        continue;
      }
      const place = places.get(next.name);
      if (place !== undefined) cycles.push(fromFirst(trail.slice(place), order));
      else if (!done.has(next.name) && edges.has(next.name)) {
        places.set(next.name, trail.length);
        trail.push(next.name);
        pending.push([...(edges.get(next.name) ?? [])]);
      }
    }
  }
  return cycles;
}

function fromFirst(cycle: readonly string[], order: ReadonlyMap<string, number>): string[] {
  const places = cycle.map((name) => order.get(name) ?? 0);
  const first = places.indexOf(Math.min(...places));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
