import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatDiagnostic } from '../config/reader.ts';
import { commandOf, hostSocketOf } from '../language/command.ts';
import { cleanEnvironment } from '../process/environment.ts';
import { warmUpLaunches } from '../process/launch.ts';
import { keepReserve } from '../process/reserve.ts';
import { endsTold, keyOf } from '../reconcile/endsTold.ts';
import { StartsInFlight } from '../reconcile/inFlight.ts';
import { LastHeartbeat } from '../reconcile/lastHeartbeat.ts';
import { wasRegistryRemoved } from '../reconcile/lostRegistry.ts';
import { outlived } from '../reconcile/outlived.ts';
import { takeOver } from '../reconcile/reconcile.ts';
import { Reconciler, ROUND_PERIOD_MS } from '../reconcile/reconciler.ts';
import { PortReservations, type WorkspaceHost } from '../service/host.ts';
import { type Claim, claimWorkspace, describeClaimFailure, describeHeld } from '../store/claim.ts';
import { copyLock } from '../store/claimSettle.ts';
import { clocksNow, windowClock } from '../store/clocks.ts';
import { pinWorkspace } from '../store/coppiceFolder.ts';
import { readHeartbeat } from '../store/heartbeat.ts';
import { JOURNAL_FILE, openJournal } from '../store/journal.ts';
import {
  describeFinding,
  describeWorkspaceFailure,
  exitsFolder,
  heartbeatPath,
  logsFolder,
  resolveWorkspace,
  runsFolder,
} from '../store/paths.ts';
import { quarantineFile } from '../store/quarantine.ts';
import { openRegistry, type Registry } from '../store/registry.ts';
import { registryFiles } from '../store/registryFile.ts';
import { WriteHealth } from '../store/writeHealth.ts';
import { Supervisor } from '../supervisor.ts';
import { version } from '../text/version.ts';
import { ClaimWatch } from './claimWatch.ts';
import { type FirstConfiguration, firstConfiguration, hasTrees, keepConfiguration } from './configuration.ts';
import { ExitCode } from './exitCode.ts';
import { SupervisorGuardian } from './guardian.ts';
import { capHeap, MAX_HEAP_MB } from './heapCap.ts';
import { removeForgottenExitRecords } from './housekeeping.ts';
import { SupervisorLife } from './life.ts';
import { tellStarter, writeOwnLog } from './ownLog.ts';
import { programFile, supervisorCommand } from './program.ts';
import { finishReload } from './reload.ts';
import { REMOVED_VARIABLE, takeRemovedNames } from './removedNames.ts';
import { EndListener } from './signals.ts';
import { claimAsSuccessor, isNobodyLost } from './succession.ts';
import { endVanished } from './vanished.ts';

export interface RunOptions {
  /** The workspace's folder. */
  readonly root: string;
  /** `serve`: what it has to say goes to the terminal and not to a log of its own. */
  readonly foreground: boolean;
  /** How often the guardian that started this one lost its supervisor; 0 (default): a person started it. */
  readonly losses?: number;
  /** State of the supervisor that was lost. */
  readonly stateDir?: string | undefined;
}

/** The whole life of one supervisor: claim the workspace, take over, serve, drain. Resolves with the exit code. */
export async function runSupervisor(options: RunOptions): Promise<number> {
  const endListener = new EndListener();
  try {
    return await claimAndServe(options, endListener);
  } finally {
    endListener.end();
  }
}

async function claimAndServe(options: RunOptions, endListener: EndListener): Promise<number> {
  const { root, foreground, losses = 0 } = options;
  capHeap();
  process.stderr.on('error', () => {});
  keepReserve();
  const ended = losses > 0 && options.stateDir !== undefined ? await endVanished(root, options.stateDir, losses) : null;
  if (ended !== null) return refuse(ended, `the workspace ${root} is gone`);
  const resolved = resolveWorkspace(root, { exact: true });
  if (!resolved.ok) return refuse(ExitCode.usage, describeWorkspaceFailure(resolved.failure));
  const { workspace } = resolved;
  // Started while the configuration is read: the first services then need not wait for it.
  warmUpLaunches();
  const read = await firstConfiguration(workspace, losses);
  if (!read.ok) return refuse(ExitCode.configuration, read.diagnostics.map(formatDiagnostic).join('\n'));
  const claimIt = losses > 0 ? claimAsSuccessor : claimWorkspace;
  const claimed = await claimIt({ workspace, version: version(), limits: { maxHeapMb: MAX_HEAP_MB } });
  if (!claimed.ok) {
    if ('held' in claimed) return refuse(ExitCode.held, describeHeld(claimed.held));
    return refuse(ExitCode.failed, describeClaimFailure(claimed.failure));
  }
  const { claim } = claimed;
  if (losses > 0 && isNobodyLost(claim)) {
    claim.release();
    return refuse(ExitCode.done, `nobody is to be followed: ${root} was left in good order`);
  }
  // Both looks at the workspace, before and after the win, may have found the same.
  const findings = new Set([...workspace.findings, ...claim.findings].map(describeFinding));
  for (const finding of findings) process.stderr.write(`coppice: ${finding}\n`);
  const { id, root: realRoot } = workspace;
  const { stateDir } = claim;
  const own = takeOwnEnvironment();
  const claimWatch = new ClaimWatch(claim);
  // Before anything that could be lost is started or taken over.
  const guardian = new SupervisorGuardian({
    workspaceId: id,
    stateDir,
    supervisor: { pid: claim.lock.pid, startTime: claim.lock.startTime },
    losses,
    argv: [...supervisorCommand(programFile(), realRoot), '--state', stateDir],
    env: environmentOfSuccessor(own),
    logPath: ownLogPath(stateDir),
    now: wallNow,
    holds: () => claimWatch.holds,
  });
  guardian.begin();
  try {
    const place = { id, root: realRoot, stateDir };
    const parts = { foreground, losses, endListener, findings: [...findings], own, claimWatch, guardian };
    return await serve(claim, place, read, parts);
  } catch (error) {
    // A full disk, say: nothing was started, and nobody is to find the workspace held.
    tellStarter(`cannot supervise ${realRoot}: ${(error as Error).message}`);
    // What runs is for a successor, who may find more room.
    if (losses === 0 && !hasTrees(stateDir)) await guardian.dismiss();
    claim.release();
    return ExitCode.failed;
  }
}

interface ServeOptions {
  readonly foreground: boolean;
  readonly losses: number;
  readonly endListener: EndListener;
  /** What was found and not used, in words. */
  readonly findings: readonly string[];
  readonly own: OwnEnvironment;
  readonly claimWatch: ClaimWatch;
  readonly guardian: SupervisorGuardian;
}

async function serve(
  claim: Claim,
  workspace: { readonly id: string; readonly root: string; readonly stateDir: string },
  configuration: FirstConfiguration & { readonly ok: true },
  { foreground, losses, endListener, findings: notUsed, own, claimWatch, guardian }: ServeOptions,
): Promise<number> {
  const { id, root, stateDir } = workspace;
  const { config, kept } = configuration;
  for (const folder of [logsFolder, exitsFolder, runsFolder])
    mkdirSync(folder(stateDir), { recursive: true, mode: 0o700 });
  if (!foreground) writeOwnLog(ownLogPath(stateDir));
  const earlier = readHeartbeat(stateDir);
  const health = new WriteHealth({
    tell: ({ event, fields }) => journal.append(event, fields),
    mayWrite: () => claimWatch.holds,
  });
  const journal = openJournal(stateDir, { onWrite: (result) => health.note(JOURNAL_FILE, result) });
  const tell: WorkspaceHost['journal'] = (event, fields) => {
    // A look that finds the workspace lost closes the journal first.
    void claimWatch.holds;
    journal.append(event, fields);
  };
  guardian.tellTo(tell, (file, write) => health.save(file, write));
  const removed = wasRegistryRemoved(stateDir);
  const { registry, findings } = openRegistry(stateDir, {
    supervisor: { pid: claim.lock.pid, startTime: claim.lock.startTime },
    beforeWrite: () => void claimWatch.holds,
    onWrite: (file, result) => health.note(file, result),
  });
  if (journal.torn) {
    const path = join(stateDir, JOURNAL_FILE);
    journal.append('state_set_aside', { kind: 'journal_torn', path, aside: null });
  }
  for (const finding of findings) journal.append('state_set_aside', { ...finding });
  const { whole: path } = registryFiles(stateDir);
  if (removed) journal.append('state_set_aside', { kind: 'registry_removed', path, aside: null });
  if (earlier.kind === 'corrupt') {
    const path = heartbeatPath(stateDir);
    journal.append('state_set_aside', { kind: 'heartbeat_corrupt', path, aside: quarantineFile(path) });
  }
  for (const detail of notUsed) journal.append('health_warn', { reason: 'not_used', detail });
  journal.append('supervisor_started', {
    pid: process.pid,
    version: claim.lock.version,
    root,
    endpoint: claim.lock.endpoint,
    limits: claim.lock.limits,
    losses,
  });
  const services = registry.services();
  for (const { key } of outlived(registry.records(), services)) registry.setAside(key);
  const records = registry.records();
  const told = endsTold(stateDir, records);
  const beat = earlier.kind === 'heartbeat' ? earlier.heartbeat : null;
  // Budgets are anew after a clean end, and so is the clock that they are counted by.
  const goesOn = losses > 0 || Object.keys(services).length > 0;
  const now = windowClock(goesOn ? (beat?.clock ?? null) : null, clocksNow());
  const host = createHost({ id, root, stateDir }, { claimWatch, own, tell, registry, health, told, now });
  // Written by the claim already, as a rule; it could do without.
  host.save('workspace.json', () => pinWorkspace(root, id, stateDir));
  host.save('the copy of the lock', () => copyLock(claim.lock));
  let life: SupervisorLife | null = null;
  const supervisor = new Supervisor(host, config, () => life?.changed());
  if (!kept) keepConfiguration(host, configuration);
  const { version } = claim.lock;
  const successor = losses > 0;
  const heartbeat = new LastHeartbeat(beat);
  life = new SupervisorLife({
    supervisor,
    claim,
    claimWatch,
    journal,
    registry,
    version,
    endListener,
    guardian,
    successor,
    kept,
    reconciler: new Reconciler(host, supervisor, heartbeat),
    // For tests, which cannot wait for half a minute.
    roundPeriodMs: Number(process.env.COPPICE_ROUND_MS) || ROUND_PERIOD_MS,
  });
  // With a registry that was torn nobody knows which of them still matter.
  const lost = removed || findings.length > 0;
  const inFlight = new StartsInFlight(stateDir, records, services, config.services);
  if (!lost) removeForgottenExitRecords(stateDir, [...records, ...inFlight.exitRecords]);
  supervisor.runs.restore(config.tasks);
  supervisor.commands.restore();
  const takenOver = takeOver(host, supervisor, {
    records,
    services,
    heartbeat,
    inFlight,
    lost,
  }).then((wanted) => {
    supervisor.resume(registry.intent(), wanted);
    finishReload(supervisor, configuration);
  });
  await life.begin(takenOver);
  return life.ended;
}

function createHost(
  workspace: { readonly id: string; readonly root: string; readonly stateDir: string },
  parts: {
    readonly claimWatch: ClaimWatch;
    readonly own: OwnEnvironment;
    readonly tell: WorkspaceHost['journal'];
    readonly registry: Registry;
    readonly health: WriteHealth;
    /** Ends that are not to be told a second time. */
    readonly told: Set<string>;
    readonly now: () => number;
  },
): WorkspaceHost {
  const { claimWatch, own, tell, registry, health, told, now } = parts;
  const { stateDir } = workspace;
  return {
    ...workspace,
    removedBefore: own.removedBefore,
    environment: () => own.environment,
    registry,
    ports: new PortReservations(),
    launching: new Set(),
    holds: () => claimWatch.holds,
    journal: (event, fields) => {
      if (event !== 'service_exited' || !told.delete(keyOf(fields))) tell(event, fields);
    },
    wrote: (file, result) => health.note(file, result),
    save: (file, write) => health.save(file, write),
    commandOf: (service) => commandOf(service, stateDir),
    hostSocketOf: (service) => hostSocketOf(service, stateDir),
    now,
    random: Math.random,
  };
}

interface OwnEnvironment {
  readonly environment: NodeJS.ProcessEnv;
  /** Names that were taken away before this process began. */
  readonly removedBefore: readonly string[];
}

function takeOwnEnvironment(): OwnEnvironment {
  const removedBefore = takeRemovedNames(process.env);
  return { environment: Object.freeze({ ...process.env }), removedBefore };
}

/** Cleaned as whoever starts a supervisor does. */
function environmentOfSuccessor({ environment, removedBefore }: OwnEnvironment): Record<string, string> {
  const { env, removed } = cleanEnvironment(environment);
  return { ...env, [REMOVED_VARIABLE]: [...new Set([...removedBefore, ...removed])].join(' ') };
}

/** Counts on when the wall clock jumps; whole milliseconds, as it ends up in files. */
function wallNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

function ownLogPath(stateDir: string): string {
  return join(logsFolder(stateDir), 'supervisor.own.log');
}

function refuse(code: number, text: string): number {
  process.stderr.write(`${text}\n`);
  return code;
}
