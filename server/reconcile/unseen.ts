import { readExitRecord } from '../process/exitRecord.ts';
import { bootId } from '../process/identity.ts';
import type { ExitRecord } from '../process/types.ts';
import { recall } from '../service/succession.ts';
import { exitRecordPath, logPath } from '../store/paths.ts';
import type { TreeRecord } from '../store/types.ts';

/**
 * Starts that were never entered, and are over: their supervisor was killed between the launch and the entry, and the
 * leader ended before there was another. What is left is the exit record, under the incarnation that the service was
 * about to start. As records they are accounted for like any other end; nobody is found alive by what they name.
 */
export function unseenEnds(
  stateDir: string,
  records: readonly TreeRecord[],
  services: Readonly<Record<string, unknown>>,
): TreeRecord[] {
  const recorded = new Set(records.map((record) => record.key));
  return Object.entries(services).flatMap(([name, json]) => {
    const key = `service/${name}`;
    const restored = recorded.has(key) ? null : recall(json);
    return restored?.keepable === true ? (endOf(stateDir, name, key, restored.state.incarnation) ?? []) : [];
  });
}

function endOf(stateDir: string, name: string, key: string, incarnation: number): TreeRecord | null {
  const path = exitRecordPath(stateDir, key, incarnation);
  const exit = readQuietly(path);
  if (exit === null) return null;
  const { pid, at } = exit;
  return {
    key,
    name,
    role: 'service',
    incarnation,
    // Nothing but what starts with the machine has this start time: nobody can be taken for the leader.
    tree: { leader: { pid, startTime: '0', bootId: bootId() }, keeper: null, group: pid, session: pid, marker: path },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: logPath(stateDir, name),
    outputOffset: 0,
    exitRecordPath: path,
    ports: [],
    startedAt: at,
    readyAt: null,
    environment: [],
    lineage: [],
  };
}

function readQuietly(path: string): ExitRecord | null {
  try {
    const exit = readExitRecord(path);
    return exit === 'corrupt' ? null : exit;
  } catch {
    return null;
  }
}
