import { type GraphEntry, stopsAfter } from './dependencies.ts';

/** Stops each name once those that depend on it are gone; independent ones at the same time. Results in order of `names`. */
export function stopInOrder<T>(
  names: readonly string[],
  entries: ReadonlyMap<string, GraphEntry>,
  stopOne: (name: string) => Promise<T>,
): Promise<T[]> {
  const after = stopsAfter(names, entries);
  const stops = new Map<string, Promise<T>>();
  const stop = (name: string): Promise<T> => {
    let stopping = stops.get(name);
    if (stopping === undefined) {
      const first = Promise.allSettled([...(after.get(name) ?? [])].map(stop));
      stopping = first.then(() => stopOne(name));
      stops.set(name, stopping);
    }
    return stopping;
  };
  return allOver(names.map(stop));
}

/** All results. A failure of one (a bug) is thrown once the others are over, so that it skips none of them (R27). */
export async function allOver<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
