import type { WorkspaceHost } from '../service/host.ts';
import { isLeftover } from '../store/leftover.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { endUnrecorded, type Heirs, judgeRecord, takeOverTree, tellStart, tellUnrecorded } from './effects.ts';
import type { StartsInFlight } from './inFlight.ts';
import type { LastHeartbeat } from './lastHeartbeat.ts';
import { startsUntold } from './startsTold.ts';
import { findUnrecorded, recordFromTable } from './unrecorded.ts';

export type { Heirs } from './effects.ts';

/** What an earlier supervisor left behind. */
export interface Estate {
  readonly records: readonly TreeRecord[];
  /** Restart accounting and state of each service, as its policy wrote it. */
  readonly services: Readonly<Record<string, unknown>>;
  readonly heartbeat: LastHeartbeat;
  readonly inFlight: StartsInFlight;
  /** Records are missing that there were: the process table is all that tells of what runs. */
  readonly lost: boolean;
}

/**
 * Takes over what an earlier supervisor left: budgets go on, live services and tasks stay under the same pid, what ended
 * meanwhile is accounted for by the same policy, and of every tree whose leader is gone the rest is reaped, so that
 * the next start is alone. Resolves with the services that were to run and of which nothing is left, and for whom.
 */
export async function takeOver(host: WorkspaceHost, heirs: Heirs, estate: Estate): Promise<ReadonlyMap<string, Owner>> {
  const { services, runs, commands } = heirs;
  const unrecorded = await findUnrecorded(
    host,
    estate.records,
    (tree) =>
      runs.recordOf(tree) ??
      commands.recordOf(tree) ??
      estate.inFlight.recordOf(tree) ??
      (estate.lost ? recordFromTable(host.stateDir, tree) : null),
  );
  const keys = new Set(estate.records.map((record) => record.key));
  const found: TreeRecord[] = [];
  // Of two starts of one name the later is the one that is meant to run.
  for (const { record, elsewhere } of unrecorded.toSorted((a, b) => b.incarnation - a.incarnation)) {
    if (record === null || elsewhere || keys.has(record.key)) continue;
    keys.add(record.key);
    found.push(record);
  }
  for (const record of found) host.registry.registerNow(record);
  // A start that nobody was told of is ended before its service may be started: there are never two of it.
  await Promise.all(
    unrecorded
      .filter(({ record, elsewhere }) => !elsewhere && (record === null || !found.includes(record)))
      .map((one) => {
        tellUnrecorded(host, one);
        return endUnrecorded(host, one);
      }),
  );
  const records = [...estate.records, ...found, ...estate.inFlight.ended(found)];
  const recorded = new Set(
    records.filter((one) => one.role === 'service' && !isLeftover(one.key)).map((one) => one.name),
  );
  const wanted = new Map<string, Owner>();
  for (const [name, state] of Object.entries(estate.services)) {
    const service = services.get(name);
    if (service === undefined) host.registry.removeService(name);
    const owner = service?.restore(state, recorded.has(name)) ?? null;
    if (owner !== null) wanted.set(name, owner);
  }
  // Records made from the process table do not say when their trees were started.
  if (!estate.lost) for (const record of startsUntold(host.stateDir, records)) tellStart(host, record);
  const { heartbeat } = estate;
  await Promise.all(
    records.map((record) => takeOverTree(host, heirs, record, judgeRecord(record, heartbeat), heartbeat)),
  );
  runs.resume();
  commands.resume();
  return wanted;
}
