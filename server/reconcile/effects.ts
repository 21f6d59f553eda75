/** What is done about one tree of an earlier supervisor, once it is judged. */
import { rmSync } from 'node:fs';
import { readExitRecord } from '../process/exitRecord.ts';
import { bootId, liveness } from '../process/identity.ts';
import { here } from '../process/place.ts';
import { reapTree, terminateTree } from '../process/termination.ts';
import type { EmptyProof, ExitRecord } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import type { ManagedService } from '../service/service.ts';
import type { StopOptions } from '../service/tree.ts';
import { isLeftover } from '../store/leftover.ts';
import type { TreeRecord } from '../store/types.ts';
import type { Commands } from '../task/commands.ts';
import type { Runs } from '../task/runs.ts';
import type { LastHeartbeat } from './lastHeartbeat.ts';
import { takeOverResult } from './tasks.ts';
import type { UnrecordedTree } from './unrecorded.ts';
import { fromHere, heartbeatEvidence, judge, type Verdict } from './verdict.ts';

/** Who goes on with what was left. */
export interface Heirs {
  readonly services: ReadonlyMap<string, ManagedService>;
  readonly runs: Runs;
  readonly commands: Commands;
}

/** Of what the configuration does not know any more, or never knew. */
export const DEFAULT_STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

export function judgeRecord(record: TreeRecord, heartbeat: LastHeartbeat): Verdict {
  const { leader } = record.tree;
  const sight = { recorded: record.place ?? null, recordedBootId: leader.bootId, here: here(), bootId: bootId() };
  const identity = fromHere(liveness(leader), sight);
  return judge({ identity, heartbeatAgeMs: heartbeat.ageMs, exitRecord: recordedEnd(record) !== null });
}

/** How the leader ended, as its exit record says; `null` when there is none that can be understood. */
export function recordedEnd({ exitRecordPath, tree }: TreeRecord): ExitRecord | null {
  try {
    const exit = readExitRecord(exitRecordPath);
    // One of another pid is that of an earlier start at the same path.
    return exit === null || exit === 'corrupt' || exit.pid !== tree.leader.pid ? null : exit;
  } catch {
    // Unreadable is as good as missing; one record must not keep all the others from being taken over.
    return null;
  }
}

/** Gives a tree to whoever goes on with it, or ends it where nobody does. */
export async function takeOverTree(
  host: WorkspaceHost,
  heirs: Heirs,
  record: TreeRecord,
  verdict: Verdict,
  heartbeat: LastHeartbeat,
): Promise<void> {
  tellVerdict(host, record, verdict, heartbeat);
  if (verdict === 'presumed_alive') {
    if (record.role !== 'service') takeOverResult(heirs, record, verdict);
    return;
  }
  if (isLeftover(record.key)) return endRecorded(host, heirs, record, verdict);
  if (record.role !== 'service') {
    if (!takeOverResult(heirs, record, verdict)) await endRecorded(host, heirs, record, verdict);
    return;
  }
  const service = heirs.services.get(record.name);
  // One that runs already was started while this tree was presumed alive.
  if (service?.atRest !== true) return endRecorded(host, heirs, record, verdict);
  // A service whose leader ended meanwhile is adopted too: its policy learns the end from the exit record. One that
  // ended with its supervisor, or is to, is asked to before its policy hears of the end, which is then no crash.
  service.adopt(record);
  const isOfPact = recordedEnd(record)?.pact === true;
  if (isOfPact || (record.onSupervisorLoss === 'stop' && verdict === 'alive')) await service.stop();
}

/** Of a start that its own supervisor had no time to tell of. */
export function tellStart(host: WorkspaceHost, { name, incarnation, tree, ...record }: TreeRecord): void {
  const { pid, startTime } = tree.leader;
  const { outputOffset, ports, startedAt } = record;
  host.journal('service_spawned', { name, pid, startTime, outputOffset, ports, incarnation, startedAt });
}

export function tellVerdict(host: WorkspaceHost, record: TreeRecord, verdict: Verdict, heartbeat: LastHeartbeat): void {
  const { name, key, incarnation, onSupervisorLoss } = record;
  const evidence = verdict === 'dead' ? heartbeatEvidence(heartbeat.heartbeat, heartbeat.ageMs) : null;
  host.journal('reconciled', {
    name,
    key,
    incarnation,
    verdict,
    onSupervisorLoss,
    ...(evidence === null ? {} : { heartbeat: evidence }),
  });
}

/**
 * What nobody goes on with is stopped (gracefully while its leader lives) and forgotten once it is gone. `news` says
 * whether an end with so many survivors is to be told.
 */
export async function endRecorded(
  host: WorkspaceHost,
  heirs: Heirs,
  record: TreeRecord,
  verdict: Verdict,
  news: (survivors: number) => boolean = () => true,
): Promise<void> {
  const { stopSignal, stopTimeoutMs }: StopOptions = heirs.services.get(record.name)?.config ?? DEFAULT_STOP;
  const leftover = isLeftover(record.key);
  const gently = verdict === 'alive' && !leftover;
  const proof = gently ? await terminateTree(record.tree, { stopSignal, stopTimeoutMs }) : await reapTree(record.tree);
  // Of what was there the last time as well there is nothing new to tell.
  const left = proof.survivors.length;
  if (news(left) && (!leftover || left === 0)) tellReaped(host, record, proof);
  if (left > 0) return;
  host.registry.unregister(record.key);
  if (record.role !== 'service') return;
  try {
    rmSync(record.exitRecordPath, { force: true });
  } catch {
    // The next supervisor clears what belongs to nothing.
  }
}

export async function endUnrecorded(
  host: WorkspaceHost,
  { name, incarnation, tree }: UnrecordedTree,
  news: (survivors: number) => boolean = () => true,
): Promise<void> {
  const proof = await terminateTree(tree, DEFAULT_STOP);
  if (news(proof.survivors.length)) tellReaped(host, { name, incarnation }, proof);
}

export function tellUnrecorded(host: WorkspaceHost, { name, incarnation, tree }: UnrecordedTree): void {
  host.journal('reconciled', { name, incarnation, verdict: 'unrecorded', pid: tree.leader.pid });
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
