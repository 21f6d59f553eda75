import { rmSync } from 'node:fs';
import { analyse } from '../config/reader.ts';
import { identify } from '../process/identity.ts';
import { here } from '../process/place.ts';
import { terminateTree } from '../process/termination.ts';
import { DEFAULT_STOP } from '../reconcile/effects.ts';
import { findUnrecorded } from '../reconcile/unrecorded.ts';
import type { StopOptions } from '../service/tree.ts';
import { openJournal } from '../store/journal.ts';
import { readKeptConfiguration } from '../store/keptConfiguration.ts';
import { guardianPath } from '../store/paths.ts';
import { openRegistry } from '../store/registry.ts';
import { lockCopyPath, readLockCopy } from '../store/stateDirectory.ts';
import type { TreeRecord } from '../store/types.ts';
import { placeGoneFrom } from '../store/workspace.ts';
import { ExitCode } from './exitCode.ts';
import { stays } from './succession.ts';

/**
 * A workspace that went away between the loss of its supervisor and the successor: what runs is stopped by the records
 * in its state directory, as the lost one would have done, and nothing is brought back. `null`: it is there.
 */
export async function endVanished(root: string, stateDir: string, losses: number): Promise<number | null> {
  const place = placeGoneFrom(root, stateDir);
  if (place === null) return null;
  // A workspace that was moved may have a supervisor by now, at its new path and with the same state.
  const holder = readLockCopy(stateDir);
  if (holder !== null && (await stays(holder))) return ExitCode.held;
  const { pid, startTime } = identify(process.pid) ?? { pid: process.pid, startTime: '' };
  const journal = openJournal(stateDir);
  const { registry } = openRegistry(stateDir, { supervisor: { pid, startTime } });
  journal.append('supervisor_stopping', { why: 'workspace_gone', losses });
  const stopOptions = keptStopOptions(stateDir);
  const records = registry.records();
  const reap = async ({ name, incarnation, tree }: Pick<TreeRecord, 'name' | 'incarnation' | 'tree'>) => {
    const proof = await terminateTree(tree, stopOptions(name));
    const survivors = proof.survivors.map(({ identity, reason }) => ({ ...identity, reason }));
    const confirmed = proof.confirmed.length;
    journal.append('tree_reaped', { name, incarnation, confirmed, survivors, reason: 'workspace_gone' });
    return survivors.length === 0;
  };
  await Promise.all([
    ...records.filter(isFromHere).map(async (record) => {
      if (await reap(record)) registry.unregister(record.key);
    }),
    ...(await findUnrecorded({ id: place.id, stateDir }, records)).filter((one) => !one.elsewhere).map(reap),
  ]);
  journal.append('supervisor_stopped', { why: 'workspace_gone', code: ExitCode.done, trees: records.length });
  await registry.close();
  await journal.close();
  for (const path of [guardianPath(stateDir), lockCopyPath(stateDir)]) rmSync(path, { force: true });
  return ExitCode.done;
}

/** Of the configuration that was in force. */
function keptStopOptions(stateDir: string): (name: string) => StopOptions {
  const kept = readKeptConfiguration(stateDir);
  // The folders in it are those of a workspace that is gone; any that is one will do to understand the rest.
  const result = kept === null || kept.file === null ? null : analyse(kept.text, kept.file, stateDir);
  const services = result?.ok === true ? result.config.services : null;
  return (name) => {
    const { stopSignal, stopTimeoutMs } = services?.get(name) ?? DEFAULT_STOP;
    return { stopSignal, stopTimeoutMs };
  };
}

/** Elsewhere, in another container, its pids are others'. */
function isFromHere({ place }: TreeRecord): boolean {
  const { hostname, pidNamespace } = here();
  return place === undefined || (place.hostname === hostname && place.pidNamespace === pidNamespace);
}
