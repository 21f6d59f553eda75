/** Looks at everything that the checks need, once, side by side and each within a limit of its own. Changes nothing. */

import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceConfig } from '../config/model.ts';
import { liveness } from '../process/identity.ts';
import { census } from '../process/membership.ts';
import { type ProcessTable, readProcessTableAsync } from '../process/table.ts';
import { clocksNow, steadyNow } from '../store/clocks.ts';
import { type HeartbeatReading, readHeartbeat } from '../store/heartbeat.ts';
import { type LockReading, readLock } from '../store/holder.ts';
import { readKnownConfiguration } from '../store/knownConfiguration.ts';
import type { Workspace } from '../store/paths.ts';
import { type RegistryContent, readRegistry } from '../store/registryFile.ts';
import type { SupervisorLock } from '../store/types.ts';
import type { DoctorFacts, FactProblem, SupervisorAnswer, TreeFacts } from './facts.ts';
import { lookAtEnvironment } from './gather/environment.ts';
import { lookAtFolders } from './gather/folders.ts';
import { readGuardian } from './gather/guardian.ts';
import { within } from './gather/limits.ts';
import { holderOf, readLockFacts } from './gather/lock.ts';
import { lookAtMachine } from './gather/machine.ts';
import { lookAtPorts } from './gather/ports.ts';
import { problemsOf } from './gather/problems.ts';
import { findMarked, findSupervisors, settleSupervisors } from './gather/processes.ts';
import { lookAtState } from './gather/state.ts';
import { lookAtSymptoms } from './gather/symptoms.ts';
import { type HeartbeatLook, untilSecondRound } from './suspicion.ts';

export { silentPaths } from './gather/folders.ts';

export interface GatherOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Why the state directory is not used, when it is not: then nothing in it is looked at. */
  readonly refused?: string;
  /** Says hello to a holder; who may do so and how is for those above to know. */
  readonly ask?: (lock: SupervisorLock) => Promise<SupervisorAnswer>;
}

export async function gatherFacts(workspace: Workspace, options: GatherOptions): Promise<DoctorFacts> {
  const { id, root, stateDir } = workspace;
  const folders = await lookAtFolders(root, stateDir);
  const silent = new Set(folders.filter((one) => !one.answers).map((one) => one.role));
  const canRead = options.refused === undefined && silent.size === 0;
  // Nothing below a folder that does not answer is touched: the kernel would not let this process go again.
  const lock: LockReading = silent.has('workspace') ? NO_LOCK : await readLock(root);
  const asked = within(ASK_LIMIT_MS, ask(lock, options), { kind: 'not_asked' } as const);
  const config = !silent.has('workspace')
    ? within(LIMIT_MS, readKnownConfiguration(root, canRead ? stateDir : null), null)
    : null;
  const table = await readProcessTableAsync();
  const registry: RegistryContent = canRead ? readRegistry(stateDir) : NO_REGISTRY;
  const beats = canRead
    ? (): HeartbeatReading => readHeartbeat(stateDir)
    : (): HeartbeatReading => ({ kind: 'absent' });
  const firstLook: HeartbeatLook = { reading: beats(), clocks: clocksNow() };
  // In this order: what has ended when its marker was to be read is not called alive below.
  const marked = id === '' ? [] : findMarked(table, id);
  const trees = lookAtTrees(registry, table);
  const guardian = canRead ? await readGuardian(stateDir, table) : ({ kind: 'absent' } as const);
  const holderPid = lock.lock?.pid ?? null;
  const supervisors = await settleSupervisors(findSupervisors(table, root), holderPid, root);
  const read = await config;
  const services = read?.config?.services ?? new Map<string, ServiceConfig>();
  const [ports, symptoms, answer] = await Promise.all([
    within(LIMIT_MS, lookAtPorts(trees, services), []),
    canRead ? within(LIMIT_MS, lookAtSymptoms(stateDir, registry.services, services), NO_SYMPTOMS) : NO_SYMPTOMS,
    asked,
  ]);
  const waitMs = untilSecondRound(firstLook, steadyNow());
  if (waitMs > 0) await sleep(waitMs);
  const heartbeat = beats();
  return {
    now: Date.now(),
    root,
    id,
    stateDir,
    lock: lock.lock,
    lockFile: readLockFacts(root, lock),
    holder: holderOf(lock),
    supervisors,
    answer,
    heartbeat,
    firstLook,
    clock: clocksNow(),
    // `hrtime` stands still while the machine sleeps, `uptime` does not.
    suspendedMs: Math.max(0, Math.round(uptime() * 1000 - Number(process.hrtime.bigint() / 1_000_000n))),
    guardian,
    config: read?.read ?? null,
    configured: services,
    services: registry.services,
    trees,
    marked,
    ports,
    environment: lookAtEnvironment(options.environment, lock, trees, services),
    state: lookAtState(workspace, {
      environment: options.environment,
      readable: canRead,
      lock: lock.lock,
      registry,
    }),
    symptoms,
    machine: lookAtMachine(table, folders, lock.verdict === 'live' ? holderPid : null),
    problems: canRead ? problemsOf(workspace, options.environment, lock, registry, folders) : refusal(options.refused),
  };
}

/** Each look; those that stay below it need a few milliseconds. */
const LIMIT_MS = 900;
const ASK_LIMIT_MS = 1_000;
const NO_LOCK: LockReading = { verdict: 'absent', lock: null };
const NO_REGISTRY: RegistryContent = {
  trees: new Map(),
  services: {},
  intent: {},
  supervisor: null,
  change: 0,
  findings: [],
};
const NO_SYMPTOMS = { events: [], addressInUse: [] };

async function ask({ verdict, lock }: LockReading, options: GatherOptions): Promise<SupervisorAnswer> {
  if (verdict !== 'live' || options.ask === undefined) return { kind: 'not_asked' };
  return options.ask(lock);
}

function refusal(refused: string | undefined): FactProblem[] {
  if (refused === undefined) return [];
  return [{ level: 'error', message: refused, fix: '`coppice doctor --fix` mends what can be mended of it' }];
}

function lookAtTrees(registry: RegistryContent, table: ProcessTable): TreeFacts[] {
  return [...registry.trees.values()].map((record) => {
    const ledger = { identities: () => record.lineage };
    const members = census(table, record.tree, ledger);
    const abroad = members.filter(({ identity }) => {
      const session = table.rows.get(identity.pid)?.session;
      return session !== undefined && session !== record.tree.session && liveness(identity) === 'alive';
    });
    const pids = new Set(abroad.map(({ identity }) => identity.pid));
    return { record, leader: liveness(record.tree.leader), members, abroad: pids };
  });
}
