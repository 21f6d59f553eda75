/** Looks at everything that the checks need, once, and changes nothing. */
import { existsSync } from 'node:fs';
import { cleanEnvironment, ENVIRONMENT_RULES } from '../process/environment.ts';
import { liveness } from '../process/identity.ts';
import { census } from '../process/membership.ts';
import { describePortHolder, portOwner } from '../process/ports.ts';
import {
  isDead,
  type ProcessTable,
  readCommandLine,
  readEnvironmentVariable,
  readProcessTableAsync,
} from '../process/table.ts';
import { readHeartbeat } from '../store/heartbeat.ts';
import { type LockReading, readLock } from '../store/holder.ts';
import { describeFinding, type Workspace } from '../store/paths.ts';
import { type RegistryContent, readRegistry } from '../store/registryFile.ts';
import type { DoctorFacts, EnvironmentFacts, FactProblem, MarkedProcess, PortFacts, TreeFacts } from './facts.ts';
import { supervisorRoot } from './supervisorProcess.ts';

export async function gatherFacts(workspace: Workspace, environment: NodeJS.ProcessEnv): Promise<DoctorFacts> {
  const { id, root, stateDir } = workspace;
  const [lock, table] = await Promise.all([readLock(root), readProcessTableAsync()]);
  const registry = readRegistry(stateDir);
  const heartbeat = readHeartbeat(stateDir);
  const trees = [...registry.trees.values()].map((record): TreeFacts => {
    const ledger = { identities: () => record.lineage };
    return { record, leader: liveness(record.tree.leader), members: census(table, record.tree, ledger) };
  });
  return {
    now: Date.now(),
    root,
    id,
    stateDir,
    lock: lock.lock,
    holder: holderOf(lock),
    supervisorPids: findSupervisors(table, root),
    heartbeat: heartbeat.kind === 'heartbeat' ? heartbeat.heartbeat : null,
    services: registry.services,
    trees,
    marked: findMarked(table, id),
    ports: await lookAtPorts(trees),
    environment: lookAtEnvironment(environment, lock, trees),
    problems: problemsOf(workspace, lock, registry, heartbeat),
  };
}

function holderOf({ verdict }: LockReading): DoctorFacts['holder'] {
  switch (verdict) {
    case 'live':
      return 'alive';
    case 'presumed_live':
      return 'elsewhere';
    case 'stale':
      return 'dead';
    case 'absent':
    case 'corrupt':
    case 'unreadable':
      return null;
    default:
      return verdict satisfies never;
  }
}

/** By what they were started with: a second supervisor would not be in the lock, which is what is looked for. */
function findSupervisors(table: ProcessTable, root: string): number[] {
  const rows = [...table.rows.values()].filter((row) => !isDead(row));
  return rows.filter((row) => supervisorRoot(readCommandLine(row.pid)) === root).map((row) => row.pid);
}

function findMarked(table: ProcessTable, id: string): MarkedProcess[] {
  return [...table.rows.values()].flatMap((row) => {
    if (isDead(row) || row.pid === process.pid) return [];
    const marker = readEnvironmentVariable(row.pid, 'COPPICE_TREE');
    if (marker === null || marker === 'unreadable' || !marker.startsWith(`${id}/`)) return [];
    const command = readCommandLine(row.pid).join(' ').slice(0, LONGEST_COMMAND);
    return [{ pid: row.pid, parent: row.parent, session: row.session, name: row.name, command, marker }];
  });
}

const LONGEST_COMMAND = 300;

async function lookAtPorts(trees: readonly TreeFacts[]): Promise<PortFacts[]> {
  const reserved = trees.flatMap(({ record, members }) =>
    record.ports.map((port) => ({ port, name: record.name, members })),
  );
  return Promise.all(
    reserved.map(async ({ port, name, members }) => {
      const owner = await portOwner(port);
      const ours = owner?.pid != null && members.some((one) => one.identity.pid === owner.pid);
      return { port, name, owner, words: owner === null ? null : describePortHolder(owner, ours) };
    }),
  );
}

function lookAtEnvironment(
  own: NodeJS.ProcessEnv,
  { lock, verdict }: LockReading,
  trees: readonly TreeFacts[],
): EnvironmentFacts {
  const cleaned = cleanEnvironment(own);
  // Of another process one variable at a time can be asked for, so the prefixes of the table are left out there.
  const supervisor =
    lock === null || verdict !== 'live'
      ? []
      : ENVIRONMENT_RULES.exact.filter((name) => typeof readEnvironmentVariable(lock.pid, name) === 'string');
  const leaked = trees.flatMap(({ record, leader }) => {
    if (leader !== 'alive') return [];
    const names = Object.fromEntries(record.environment.map((name) => [name, '']));
    const variables = cleanEnvironment(names).removed.filter((name) => name !== 'COPPICE_TREE');
    return variables.length === 0 ? [] : [{ name: record.name, variables }];
  });
  const stripped = [...new Set([...cleaned.removed, ...supervisor])].sort();
  return { stripped, preserved: cleaned.preserved, leaked };
}

function problemsOf(
  workspace: Workspace,
  lock: LockReading,
  registry: RegistryContent,
  heartbeat: { readonly kind: string },
): FactProblem[] {
  const problems: FactProblem[] = workspace.findings.map((one) => ({
    level: 'warn',
    message: describeFinding(one),
    fix: null,
  }));
  if (lock.verdict === 'live' && !existsSync(lock.lock.stateDir)) {
    problems.push({
      level: 'error',
      message: `the state directory ${lock.lock.stateDir} was removed while supervisor ${lock.lock.pid} runs: it goes on, and can record nothing`,
      fix: '`coppice down`, then `coppice up`, creates it anew',
    });
  }
  if (lock.verdict === 'corrupt') {
    problems.push({
      level: 'warn',
      message: `the lock of the workspace is no lock: ${lock.detail}`,
      fix: '`coppice up` claims the workspace anew',
    });
  }
  if (lock.verdict === 'unreadable') {
    problems.push({
      level: 'error',
      message: `the lock of the workspace cannot be read: ${lock.failure.detail}`,
      fix: null,
    });
  }
  for (const finding of registry.findings) {
    const corrupt = finding.kind === 'registry_corrupt';
    const message = corrupt
      ? `${finding.path}: ${finding.records === 'all' ? 'it' : `${finding.records} of its records`} cannot be understood`
      : `${finding.path} cannot be read: ${finding.failure.detail}`;
    problems.push({
      level: 'error',
      message,
      fix: corrupt ? '`coppice up` sets it aside and rebuilds it from the process table' : null,
    });
  }
  if (heartbeat.kind === 'corrupt') {
    problems.push({ level: 'warn', message: 'the heartbeat cannot be understood', fix: 'the next beat replaces it' });
  }
  return problems;
}
