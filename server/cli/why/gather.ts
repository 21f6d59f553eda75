/** Looks at everything that an answer is made of, once: the supervisor where it answers, and the files in any case. */
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../api/client.ts';
import type { RunStatus, StatusResult } from '../../api/protocol.ts';
import type { WorkspaceConfig } from '../../config/model.ts';
import { liveness } from '../../process/identity.ts';
import { readGuardianFile } from '../../store/guardianFile.ts';
import { readHeartbeat } from '../../store/heartbeat.ts';
import { readLock } from '../../store/holder.ts';
import { readJournal } from '../../store/journalRead.ts';
import { logPath } from '../../store/paths.ts';
import { readRegistry } from '../../store/registryFile.ts';
import type { SupervisorLock } from '../../store/types.ts';
import { readRuns, taskLogPath } from '../../task/runFile.ts';
import type { TaskStatus } from '../../task/status.ts';
import { version } from '../../text/version.ts';
import { endpointObjection, type Workspace } from '../workspace.ts';
import type { SupervisorView, TreeView, WhyFacts } from './types.ts';

/** A supervisor that is busy answers in a few milliseconds; one that needs longer is told from its files. */
const PATIENCE_MS = 1_500;

export async function gatherWhy(workspace: Workspace): Promise<WhyFacts> {
  const { stateDir } = workspace;
  const [asked, configuration] = await Promise.all([askSupervisor(workspace), readConfiguration(workspace)]);
  const registry = readRegistry(stateDir);
  const journal = readJournal(stateDir);
  const { config } = configuration;
  const services = config?.services ?? new Map();
  const ports = [...services.values()].flatMap(({ port }) => (typeof port === 'number' ? port : []));
  return {
    now: Date.now(),
    events: journal.events,
    skipped: journal.skipped,
    supervisor: asked.view,
    statuses: new Map(asked.status?.services.map((one) => [one.name, one])),
    tasks: asked.status === null ? recordedTasks(stateDir) : newestTasks(asked.status.runs),
    snapshots: registry.services,
    trees: [...registry.trees.values()].map((record): TreeView => ({ record, alive: isAlive(record) })),
    services,
    taskConfigs: config?.tasks ?? new Map(),
    configurationError: configuration.error,
    placeOf: configuration.placeOf,
    portHolders: await holdersOf(ports, workspace.id),
    logOf: (name) => logPath(stateDir, name),
  };
}

function isAlive({ tree, lineage }: TreeView['record']): boolean {
  return [tree.leader, ...(tree.keeper === null ? [] : [tree.keeper]), ...lineage].some(
    (one) => liveness(one) === 'alive',
  );
}

interface Asked {
  readonly view: SupervisorView;
  readonly status: StatusResult | null;
}

/** One that is just starting, or is about to be started by a guardian, is waited for. */
async function askSupervisor({ root }: Workspace): Promise<Asked> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const asked = await askOnce(root);
    const { view } = asked;
    const mayCome = (view.kind === 'silent' && !view.stuck) || (view.kind === 'lost' && view.guardian !== null);
    if (!mayCome || performance.now() > deadline) return asked;
    await sleep(PAUSE_MS);
  }
}

const PAUSE_MS = 50;

async function askOnce(root: string): Promise<Asked> {
  const { verdict, lock } = await readLock(root);
  if (lock === null) return { view: { kind: 'none' }, status: null };
  const { pid } = lock;
  if (verdict === 'stale') return { view: lostView(pid, lock.stateDir), status: null };
  const beat = readHeartbeat(lock.stateDir);
  const beatAt = beat.kind === 'heartbeat' && beat.heartbeat.pid === pid ? beat.heartbeat.at : null;
  const answer = await askStatus(lock);
  if (typeof answer !== 'string') return { view: { kind: 'serving', pid }, status: answer };
  if (verdict === 'presumed_live') return { view: { kind: 'elsewhere', pid, host: lock.hostname }, status: null };
  const stuck = answer !== NOT_LISTENING;
  return { view: { kind: 'silent', pid, detail: answer, beatAt, stuck }, status: null };
}

/** Its guardian may be in the middle of starting another. */
function lostView(pid: number, stateDir: string): SupervisorView {
  const reading = readGuardianFile(stateDir);
  const guards = reading?.supervisor.pid === pid ? reading : null;
  const lives = guards?.guardian != null && liveness(guards.guardian) === 'alive';
  return { kind: 'lost', pid, guardian: lives ? guards.guardian.pid : null, gaveUp: guards?.gaveUp?.text ?? null };
}

const NOT_LISTENING = 'nothing listens at its endpoint';

/** Its answer, or why there is none. */
async function askStatus(lock: SupervisorLock): Promise<StatusResult | string> {
  const objection = endpointObjection(lock.endpoint);
  if (objection !== null) return objection;
  const hello = { kind: 'cli', pid: process.pid, version: version(), session: null } as const;
  const connected = await connect(lock.endpoint, hello, { timeoutMs: PATIENCE_MS });
  if (!connected.ok) {
    return connected.failure.reason === 'not_listening' ? NOT_LISTENING : connected.failure.reason.replaceAll('_', ' ');
  }
  try {
    const answer = await connected.client.request('status', {}, { timeoutMs: PATIENCE_MS });
    return answer.ok ? answer.value : answer.failure.reason.replaceAll('_', ' ');
  } finally {
    connected.client.close();
  }
}

/** Of each task, its newest run's. */
function newestTasks(runs: readonly RunStatus[]): ReadonlyMap<string, TaskStatus> {
  return new Map(runs.flatMap((run) => run.tasks.map((task): [string, TaskStatus] => [task.name, task])));
}

/** As their runs were written down; the newest run comes last. */
function recordedTasks(stateDir: string): ReadonlyMap<string, TaskStatus> {
  const runs = readRuns(stateDir).flatMap((one) => (one.kind === 'run' ? one.run : []));
  return new Map(
    runs.flatMap(({ id, tasks }) =>
      tasks.map(({ terms: { name }, progress }): [string, TaskStatus] => {
        const { state, exitCode, startedAt, finishedAt, detail } = progress;
        return [name, { name, state, exitCode, startedAt, finishedAt, detail, log: taskLogPath(stateDir, id, name) }];
      }),
    ),
  );
}

interface Configuration {
  readonly config: WorkspaceConfig | null;
  readonly error: string | null;
  readonly placeOf: WhyFacts['placeOf'];
}

async function readConfiguration(workspace: Workspace): Promise<Configuration> {
  const { readKnownConfiguration } = await import('../../store/knownConfiguration.ts');
  const { readPlaces } = await import('../../config/places.ts');
  const { read, config } = await readKnownConfiguration(workspace.root, workspace.stateDir);
  if (!read.ok) {
    const [first] = read.diagnostics;
    const error = first === undefined ? 'it is wrong' : `${basename(first.file)}:${first.line}: ${first.message}`;
    return { config, error, placeOf: () => null };
  }
  const { file } = read.config;
  if (file === null) return { config: read.config, error: null, placeOf: () => null };
  const lineOf = await readPlaces(file);
  return {
    config: read.config,
    error: null,
    placeOf: (path) => {
      // What is not written is added to the entry that is.
      for (let length = path.length; length > 1; length -= 1) {
        const line = lineOf(path.slice(0, length));
        if (line !== null) return `${basename(file)}:${line}`;
      }
      return null;
    },
  };
}

/** Who has a fixed port now, in the words of the launcher. */
async function holdersOf(ports: readonly number[], id: string): Promise<ReadonlyMap<number, string>> {
  if (ports.length === 0) return new Map();
  const { describePortHolder, portOwner } = await import('../../process/ports.ts');
  const found = await Promise.all(
    ports.map(async (port): Promise<[number, string][]> => {
      const owner = await portOwner(port).catch(() => null);
      return owner === null ? [] : [[port, describePortHolder(owner, owner.marker?.startsWith(`${id}/`) === true)]];
    }),
  );
  return new Map(found.flat());
}
