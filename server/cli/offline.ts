/** What is known of a workspace while no supervisor runs: its configuration, its registry and its files. */
import { readdirSync } from 'node:fs';
import type { ServiceStatus, StatusResult } from '../api/protocol.ts';
import type { WorkspaceConfig } from '../config/model.ts';
import { liveness } from '../process/identity.ts';
import { ownerKind, ownerName } from '../service/owners.ts';
import { readGuardianFile } from '../store/guardianFile.ts';
import { heartbeatAgeMs, readHeartbeat } from '../store/heartbeat.ts';
import { readLock } from '../store/holder.ts';
import { decodeName, logPath, logsFolder } from '../store/paths.ts';
import { readRegistry } from '../store/registryFile.ts';
import type { TreeRecord } from '../store/types.ts';
import { oneLine } from './width.ts';
import type { Workspace } from './workspace.ts';

/** Recorded trees of which the leader, or the keeper above what it left, still runs. */
export function liveRecordedTrees(workspace: Workspace): TreeRecord[] {
  return [...readRegistry(workspace.stateDir).trees.values()].filter(({ tree, lineage }) =>
    [tree.leader, ...(tree.keeper === null ? [] : [tree.keeper]), ...lineage].some((one) => liveness(one) === 'alive'),
  );
}

/**
 * `ps` without a supervisor: services of the configuration, stopped unless their last word was another, and what a
 * supervisor that was killed left running as what it was.
 */
export async function offlineStatus(workspace: Workspace): Promise<StatusResult> {
  const { id, root, stateDir } = workspace;
  const silent = await silentSupervisor(root);
  const recorded = readRegistry(stateDir);
  const config = await readConfigurationQuietly(workspace);
  const live = new Map(liveRecordedTrees(workspace).map((record) => [record.name, record]));
  const names = new Set([
    ...(config?.services.keys() ?? []),
    ...(config === null ? Object.keys(recorded.services) : []),
  ]);
  for (const record of live.values()) if (record.role === 'service') names.add(record.name);
  const { restore } = await import('../service/policy/snapshot.ts');
  const { detail, failedText } = await import('../service/policy/describe.ts');
  const services = [...names].map((name): ServiceStatus => {
    const service = config?.services.get(name);
    const state = restore(recorded.services[name])?.state ?? null;
    const record = live.get(name) ?? null;
    return {
      name,
      kind: service?.kind ?? 'service',
      state:
        record !== null
          ? record.readyAt === null
            ? 'starting'
            : 'ready'
          : state?.name === 'failed' || state?.name === 'completed'
            ? state.name
            : 'stopped',
      pid: record?.tree.leader.pid ?? null,
      incarnation: record?.incarnation ?? state?.incarnation ?? 0,
      restarts: state?.restarts ?? 0,
      crashes: state?.accounting.crashes ?? 0,
      lastExit: state?.lastExit ?? null,
      memoryMb: null,
      port: record?.ports[0] ?? null,
      url: null,
      owner: record === null ? 'configuration' : ownerName(record.owner),
      ownerKind: record === null ? 'configuration' : ownerKind(record.owner),
      readyAt: record?.readyAt ?? null,
      log: logPath(stateDir, name),
      detail:
        record !== null
          ? silent === null
            ? 'runs without a supervisor; `coppice up` adopts it'
            : 'as last written down'
          : state === null
            ? null
            : detail(state, Date.now(), name),
      startedAt: record?.startedAt ?? null,
      respawnAt: null,
      blockedBy: null,
      failure: state === null ? null : failedText(state, name),
      enabled: service?.enabled ?? true,
      outputOffset: record?.outputOffset ?? 0,
    };
  });
  return { workspace: { id, root, stateDir }, supervisor: silent, services, runs: [], sessions: [] };
}

/** A supervisor that lives, from its files: whoever asks for this got no answer from it. */
async function silentSupervisor(root: string): Promise<StatusResult['supervisor']> {
  const { lock, verdict } = await readLock(root);
  if (lock === null || verdict === 'stale') return null;
  const reading = readHeartbeat(lock.stateDir);
  const beat = reading.kind === 'heartbeat' && reading.heartbeat.pid === lock.pid ? reading.heartbeat : null;
  const { pid, startedAt, version, endpoint, limits } = lock;
  const heartbeat = {
    ageMs: Math.max(0, Math.round(beat === null ? Date.now() - startedAt : heartbeatAgeMs(beat))),
    memory: beat?.memory ?? { heapUsedMb: 0, rssMb: 0 },
  };
  const guardian = readGuardianFile(lock.stateDir)?.guardian ?? null;
  const guarded = guardian !== null && liveness(guardian) === 'alive' ? { pid: guardian.pid } : null;
  return { pid, startedAt, version, endpoint, limits, guardian: guarded, heartbeat };
}

/**
 * Names whose output can be asked for: those that have a log, and services of the configuration that have not printed
 * yet. The logs of `exec` count only when somebody asks for a name.
 */
export async function knownLogs(workspace: Workspace, forNames: boolean): Promise<string[]> {
  const printed = listLogs(workspace.stateDir).filter((name) => forNames || !name.startsWith('exec-'));
  const config = await readConfigurationQuietly(workspace);
  if (config === null) return printed;
  const configured = [...config.services.keys()];
  if (forNames) return [...new Set([...configured, ...printed])];
  // Of services that were taken out of the configuration, logs stay behind for long.
  return printed.filter((name) => configured.includes(name));
}

function listLogs(stateDir: string): string[] {
  try {
    const files = readdirSync(logsFolder(stateDir)).filter((file) => file.endsWith('.log'));
    return files.flatMap((file) => decodeName(file.slice(0, -'.log'.length)) ?? []).sort();
  } catch {
    return [];
  }
}

/** Why the configuration cannot be used, in a line; `null` when it can. */
export async function configurationTrouble(workspace: Workspace): Promise<string | null> {
  const { readKnownConfiguration } = await import('../store/knownConfiguration.ts');
  const { read } = await readKnownConfiguration(workspace.root, workspace.stateDir);
  if (read.ok) return null;
  const errors = read.diagnostics.filter((one) => one.severity === 'error');
  const [first] = errors;
  if (first === undefined) return 'the configuration is wrong';
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return `the configuration is wrong: ${first.file}:${first.line}: ${oneLine(first.message)}${more}`;
}

/** What was in force last where it is wrong: its errors are the affair of `up` and `reload`. */
async function readConfigurationQuietly(workspace: Workspace): Promise<WorkspaceConfig | null> {
  const { readKnownConfiguration } = await import('../store/knownConfiguration.ts');
  return (await readKnownConfiguration(workspace.root, workspace.stateDir)).config;
}
