/**
 * The dependency graph of services and tasks, as pure functions: who may start now, who waits for whom, who never
 * can, and in which order things stop.
 */
import type { Dependency, DependencyCondition } from '../config/model.ts';

/** What the graph needs to know of an entry. */
export interface GraphEntry {
  readonly name: string;
  readonly dependsOn: readonly Dependency[];
}

/**
 * How an entry stands towards a condition. `met` now; `coming`: it may still be met; `hopeless`: only a person can
 * change it (failed, disabled, stopped by request), with the reason in words.
 */
export type ConditionState =
  | { readonly kind: 'met' }
  | { readonly kind: 'coming' }
  | { readonly kind: 'hopeless'; readonly because: string };

export type ConditionReader = (name: string, condition: DependencyCondition) => ConditionState;

export type StartDecision =
  | { readonly kind: 'start' }
  | { readonly kind: 'wait'; readonly on: readonly Dependency[] }
  | { readonly kind: 'blocked'; readonly by: string; readonly because: string };

/** Whether an entry may start, given how its dependencies stand. A hopeless one outweighs those still coming. */
export function decideStart(entry: GraphEntry, condition: ConditionReader): StartDecision {
  const waiting: Dependency[] = [];
  for (const dependency of entry.dependsOn) {
    const state = condition(dependency.name, dependency.condition);
    switch (state.kind) {
      case 'met':
        break;
      case 'coming':
        waiting.push(dependency);
        break;
      case 'hopeless':
        return { kind: 'blocked', by: dependency.name, because: state.because };
      default:
        return state satisfies never;
    }
  }
  return waiting.length === 0 ? { kind: 'start' } : { kind: 'wait', on: waiting };
}

/** The names and everything they depend on, dependencies first. Unknown names are left out. */
export function withDependencies(names: Iterable<string>, entries: ReadonlyMap<string, GraphEntry>): string[] {
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    const entry = entries.get(name);
    if (entry === undefined || ordered.has(name)) return;
    for (const dependency of entry.dependsOn) visit(dependency.name);
    ordered.add(name);
  };
  for (const name of names) visit(name);
  return [...ordered];
}

/**
 * The tasks that `goals` need, directly or through other tasks, dependencies first. What a service that runs already
 * once needed is of no concern.
 */
export function tasksNeededBy<T extends GraphEntry>(
  goals: readonly string[],
  services: ReadonlyMap<string, GraphEntry>,
  tasks: ReadonlyMap<string, T>,
): T[] {
  const concerned = goals.flatMap((name): [string, GraphEntry][] => {
    const service = services.get(name);
    return service === undefined ? [] : [[name, service]];
  });
  const entries = new Map<string, GraphEntry>([...concerned, ...tasks]);
  return withDependencies(goals, entries).flatMap((name) => tasks.get(name) ?? []);
}

/**
 * For each name, which of the others must be gone before it is stopped: those that depend on it, directly or through
 * entries that are not in the list. So dependents stop first, and independent entries stop at the same time.
 */
export function stopsAfter(
  names: readonly string[],
  entries: ReadonlyMap<string, GraphEntry>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const stopping = new Set(names);
  const after = new Map<string, Set<string>>(names.map((name) => [name, new Set<string>()]));
  for (const name of names) {
    for (const dependency of withDependencies([name], entries)) {
      if (dependency !== name && stopping.has(dependency)) after.get(dependency)?.add(name);
    }
  }
  return after;
}
