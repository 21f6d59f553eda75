/** What becomes of the things of sessions that are over, pure: who else needs them, and what nobody needs. */
import type { Owner } from '../../store/types.ts';
import { type GraphEntry, withDependencies } from '../dependencies.ts';
import { CONFIGURATION, isOfAny } from '../owners.ts';

/** A service that runs or is to run, or a run that goes on. */
export interface Holding {
  /** `service/<name>` or `run/<id>`. */
  readonly key: string;
  /** Who asked for it, in order. None: the configuration did. */
  readonly claims: readonly Owner[];
  /** Names of the entries that it still consists of: the service itself, or the tasks that have not ended. */
  readonly entries: readonly string[];
  /** With nobody left the configuration goes on with it (`onOwnerLoss: adopt`). */
  readonly adopt: boolean;
}

export interface Handover {
  /** To whom what went on belongs from now on, by key. */
  readonly handedOver: ReadonlyMap<string, Owner>;
  /** Keys of what nobody needs any more. */
  readonly over: readonly string[];
}

/**
 * What the sessions owned goes to the next who asked for it. What nobody else asked for goes to whoever has something
 * that depends on it, and is over otherwise. The configuration comes before any session, as it never goes.
 */
export function handOver(
  sessions: ReadonlySet<string>,
  holdings: readonly Holding[],
  graph: ReadonlyMap<string, GraphEntry>,
): Handover {
  const owners = new Map(holdings.map((one) => [one.key, heirOf(one, sessions)]));
  const keepers = holdings.filter((one) => owners.get(one.key) !== null);
  const first = keepers.filter((one) => owners.get(one.key)?.kind === 'configuration');
  // The list grows while it is gone through: what is kept for somebody keeps what it depends on itself.
  const queue = [...first, ...keepers.filter((one) => !first.includes(one))];
  for (const keeper of queue) {
    const owner = owners.get(keeper.key) ?? null;
    const needed = new Set(withDependencies(keeper.entries, graph));
    for (const other of holdings) {
      if (owners.get(other.key) !== null || !other.entries.some((name) => needed.has(name))) continue;
      owners.set(other.key, owner);
      queue.push(other);
    }
  }
  const handedOver = new Map<string, Owner>();
  const over: string[] = [];
  for (const { key, claims } of holdings) {
    const owner = owners.get(key) ?? null;
    if (owner === null) over.push(key);
    else if (isOfAny(claims[0] ?? CONFIGURATION, sessions)) handedOver.set(key, owner);
  }
  return { handedOver, over };
}

/** Whose it is by what was asked for alone; `null`: nobody's. */
function heirOf({ claims, adopt }: Holding, sessions: ReadonlySet<string>): Owner | null {
  if (claims.length === 0) return CONFIGURATION;
  return claims.find((one) => !isOfAny(one, sessions)) ?? (adopt ? CONFIGURATION : null);
}
