import { rmSync } from 'node:fs';
import { readExitRecord } from '../process/exitRecord.ts';
import { liveness } from '../process/identity.ts';
import { reapTree, terminateTree } from '../process/termination.ts';
import type { EmptyProof, ExitRecord } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import type { ManagedService } from '../service/service.ts';
import type { StopOptions } from '../service/tree.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import type { Commands } from '../task/commands.ts';
import type { Runs } from '../task/runs.ts';
import { takeOverResult } from './tasks.ts';
import { findUnrecorded, type UnrecordedTree } from './unrecorded.ts';
import { judge, type Verdict } from './verdict.ts';

/** What an earlier supervisor left behind. */
export interface Estate {
  readonly records: readonly TreeRecord[];
  /** Restart accounting and state of each service, as its policy wrote it. */
  readonly services: Readonly<Record<string, unknown>>;
  readonly heartbeatAgeMs: number | null;
}

/** Who goes on with what was left. */
export interface Heirs {
  readonly services: ReadonlyMap<string, ManagedService>;
  readonly runs: Runs;
  readonly commands: Commands;
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
    (tree) => runs.recordOf(tree) ?? commands.recordOf(tree),
  );
  const keys = new Set(estate.records.map((record) => record.key));
  const found = unrecorded.flatMap(({ record }) => (record === null || keys.has(record.key) ? [] : [record]));
  for (const record of found) host.registry.registerNow(record);
  // A start that nobody was told of is ended before its service may be started: there are never two of it.
  await Promise.all(
    unrecorded
      .filter(({ record }) => record === null || !found.includes(record))
      .map((one) => endUnrecorded(host, one)),
  );
  const records = [...estate.records, ...found];
  const recorded = new Set(records.filter((one) => one.role === 'service').map((one) => one.name));
  const wanted = new Map<string, Owner>();
  for (const [name, state] of Object.entries(estate.services)) {
    const service = services.get(name);
    if (service === undefined) host.registry.removeService(name);
    const owner = service?.restore(state, recorded.has(name)) ?? null;
    if (owner !== null) wanted.set(name, owner);
  }
  await Promise.all(records.map((record) => takeOverTree(host, heirs, record, estate.heartbeatAgeMs)));
  runs.resume();
  commands.resume();
  return wanted;
}

async function takeOverTree(
  host: WorkspaceHost,
  heirs: Heirs,
  record: TreeRecord,
  heartbeatAgeMs: number | null,
): Promise<void> {
  const exit = exitRecordOf(record.exitRecordPath);
  const verdict = judge({ identity: liveness(record.tree.leader), heartbeatAgeMs, exitRecord: exit !== null });
  const { name, key, incarnation, onSupervisorLoss } = record;
  host.journal('reconciled', { name, key, incarnation, verdict, onSupervisorLoss });
  if (record.role !== 'service') {
    if (!takeOverResult(heirs, record, verdict)) await end(host, record, verdict, DEFAULT_STOP);
    return;
  }
  const service = heirs.services.get(record.name);
  switch (verdict) {
    case 'alive':
    case 'finished':
    case 'dead':
      // A service whose leader ended meanwhile is adopted too: its policy learns the end from the exit record. One that
      // ended with its supervisor, or is to, is asked to before its policy hears of the end, which is then no crash.
      if (service === undefined) return end(host, record, verdict, DEFAULT_STOP);
      service.adopt(record);
      if (exit?.pact === true || (record.onSupervisorLoss === 'stop' && verdict === 'alive')) await service.stop();
      return;
    case 'presumed_alive':
      return;
    default:
      return verdict satisfies never;
  }
}

function exitRecordOf(path: string): ExitRecord | null {
  try {
    const exit = readExitRecord(path);
    return exit === 'corrupt' ? null : exit;
  } catch {
    // Unreadable is as good as missing; one record must not keep all the others from being taken over.
    return null;
  }
}

async function endUnrecorded(host: WorkspaceHost, { name, incarnation, tree }: UnrecordedTree): Promise<void> {
  host.journal('reconciled', { name, incarnation, verdict: 'unrecorded', pid: tree.leader.pid });
  tellReaped(host, { name, incarnation }, await terminateTree(tree, DEFAULT_STOP));
}

/** Of what the configuration does not know any more, or never knew. */
const DEFAULT_STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

/** What nobody goes on with is stopped (gracefully while its leader lives) and forgotten once it is gone. */
async function end(
  host: WorkspaceHost,
  record: TreeRecord,
  verdict: Verdict,
  { stopSignal, stopTimeoutMs }: StopOptions,
): Promise<void> {
  const proof =
    verdict === 'alive' ? await terminateTree(record.tree, { stopSignal, stopTimeoutMs }) : await reapTree(record.tree);
  tellReaped(host, record, proof);
  if (proof.survivors.length > 0) return;
  host.registry.unregister(record.key);
  if (record.role !== 'service') return;
  try {
    rmSync(record.exitRecordPath, { force: true });
  } catch {
    // The next supervisor clears what belongs to nothing.
  }
}

function tellReaped(
  host: WorkspaceHost,
  { name, incarnation }: { readonly name: string; readonly incarnation: number },
  proof: EmptyProof,
): void {
  host.journal('tree_reaped', {
    name,
    incarnation,
    confirmed: proof.confirmed.length,
    survivors: proof.survivors.map(({ identity, reason }) => ({ ...identity, reason })),
    reason: 'left by an earlier supervisor',
  });
}
