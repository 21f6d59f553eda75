import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandSpec } from '../config/model.ts';
import { deferred } from '../process/deferred.ts';
import { describeLaunchFailure } from '../process/describe.ts';
import { type ComposedEnvironment, composeEnvironment } from '../process/environment.ts';
import { UNWITNESSED, watchExitRecord } from '../process/exitRecord.ts';
import { identityKey } from '../process/identity.ts';
import { launch } from '../process/launch.ts';
import { census, createLedger, type Ledger } from '../process/membership.ts';
import { here } from '../process/place.ts';
import { resolveCommand, searchPath } from '../process/resolve.ts';
import { isDead, type ProcessTable } from '../process/table.ts';
import { reapTree, terminateTree } from '../process/termination.ts';
import type {
  EmptyProof,
  ExitStatus,
  LaunchedTree,
  LaunchFailure,
  LaunchResult,
  ProcessRow,
  StdinMode,
  TreeMember,
} from '../process/types.ts';
import { exitRecordPath } from '../store/paths.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import type { WorkspaceHost } from './host.ts';

/** One start of a service, task or `exec`, before its command is resolved and its environment composed. */
export interface TreeRequest {
  readonly key: string;
  readonly name: string;
  readonly role: TreeRecord['role'];
  readonly incarnation: number;
  readonly owner: Owner;
  readonly onSupervisorLoss: 'adopt' | 'stop';
  /** How it is stopped when its supervisor is lost and it must not go on. */
  readonly stop?: StopOptions;
  readonly command: CommandSpec;
  readonly cwd: string;
  /** What the environment starts from; cleaned before use. */
  readonly baseEnvironment: NodeJS.ProcessEnv;
  readonly env: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  readonly stdin: StdinMode;
  /** Handed to the child as `PORT` and put in place of `${port}`. */
  readonly port: number | null;
  readonly logPath: string;
  /** Default: a file of its own in the state directory. */
  readonly exitRecordPath?: string;
  /** Of `newMarker`, for who must know it before the launch; default: a new one. */
  readonly marker?: string;
}

/** Names one start for good: what a tree's members are known by, and a supervisor's own record of what it was about to start. */
export function newMarker(workspaceId: string, name: string, incarnation: number): string {
  return `${workspaceId}/${name}/${incarnation}/${randomBytes(6).toString('hex')}`;
}

export type TreeStart =
  | { readonly ok: true; readonly tree: SupervisedTree }
  | { readonly ok: false; readonly reason: StartFailureReason; readonly message: string };

/** `fault`: a step failed in a way that is no ordinary failure of a launch. */
export type StartFailureReason = LaunchFailure['reason'] | 'fault' | 'not_held';

export interface StopOptions {
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
}

/** Of what has no say of its own. */
const DEFAULT_STOP: StopOptions = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 };

/** How a tree ended: its leader's status, and the proof that nothing of it is left. */
export interface TreeEnd {
  readonly status: ExitStatus;
  readonly proof: EmptyProof;
}

/**
 * Starts a process tree and enters it in the registry before anyone is told of it, so that a supervisor that dies in
 * the next instant leaves a record behind. Never rejects.
 */
export async function startTree(host: WorkspaceHost, request: TreeRequest): Promise<TreeStart> {
  try {
    return await start(host, request);
  } catch (error) {
    // A full disk or a lack of file handles shows in any step; it fails this start, never the supervisor.
    return { ok: false, reason: 'fault', message: `cannot start ${request.name}: ${(error as Error).message}` };
  }
}

async function start(host: WorkspaceHost, request: TreeRequest): Promise<TreeStart> {
  if (!host.holds()) return { ok: false, reason: 'not_held', message: 'another supervisor holds the workspace' };
  const marker = request.marker ?? newMarker(host.id, request.name, request.incarnation);
  const environment = environmentOf(host, request, marker);
  if (!environment.ok) return failed(environment.failure);
  const command = fillPortInCommand(request.command, request.port);
  const resolved = resolveCommand(command, { cwd: request.cwd, workspaceRoot: host.root, env: environment.env });
  if (!resolved.ok) return failed(resolved.failure);
  const recordPath = request.exitRecordPath ?? exitRecordPath(host.stateDir, request.key, request.incarnation);
  host.launching.add(marker);
  const launching = launch({
    argv: resolved.argv,
    cwd: request.cwd,
    env: environment.env,
    stdin: request.stdin,
    outputPath: request.logPath,
    exitRecordPath: recordPath,
    marker,
    ...(request.onSupervisorLoss === 'stop' ? { pact: request.stop ?? DEFAULT_STOP } : {}),
  });
  const launched: LaunchResult = await launching.finally(() => host.launching.delete(marker));
  if (!launched.ok) return failed(launched.failure);
  const removed = [...new Set([...host.removedBefore, ...environment.removed])].sort();
  if (removed.length > 0) host.journal('environment_cleaned', { name: request.name, removed });
  const record: TreeRecord = {
    key: request.key,
    name: request.name,
    role: request.role,
    incarnation: request.incarnation,
    tree: launched.tree.identity,
    owner: request.owner,
    onSupervisorLoss: request.onSupervisorLoss,
    logPath: request.logPath,
    outputOffset: launched.tree.outputOffset,
    exitRecordPath: recordPath,
    ports: request.port === null ? [] : [request.port],
    startedAt: Date.now(),
    readyAt: null,
    environment: Object.keys(environment.env).sort(),
    lineage: [],
    place: here(),
  };
  host.registry.registerNow(record);
  return { ok: true, tree: new SupervisedTree(host, record, launched.tree, environment.env) };
}

/** What the child of a request sees. */
export function environmentOf(
  host: WorkspaceHost,
  request: Pick<TreeRequest, 'baseEnvironment' | 'envFiles' | 'env' | 'port' | 'cwd'>,
  marker: string,
): ComposedEnvironment {
  return composeEnvironment({
    base: request.baseEnvironment,
    envFiles: request.envFiles,
    entryEnv: fillPort(request.env, request.port),
    extra: request.port === null ? {} : { PORT: String(request.port) },
    marker,
    pathPrefix: searchPath(request.cwd, host.root),
  });
}

/** How long a keeper with nothing left to keep is given to end; usually it takes a tenth of a millisecond. */
const KEEPER_MOMENT_MS = 5;

/** A tree that this supervisor owns, started by itself or adopted from the one before. */
export class SupervisedTree {
  readonly #host: WorkspaceHost;
  #record: TreeRecord;
  readonly #ledger: Ledger;
  readonly #emptied: Promise<boolean>;
  /** Whom the last look has found, by key. */
  #lookedAt: ReadonlySet<string> | null = null;
  #ending: Promise<EmptyProof> | null = null;
  readonly #survived = deferred<TreeEnd>();
  readonly #told = deferred<ExitStatus>();
  /** Settles when the leader ended, whatever of the tree still lives. */
  readonly exited: Promise<ExitStatus>;
  /** What probes of kind `exec` run in. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(
    host: WorkspaceHost,
    record: TreeRecord,
    { exited, emptied }: Pick<LaunchedTree, 'exited' | 'emptied'>,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#host = host;
    this.#record = record;
    this.#emptied = emptied;
    this.exited = Promise.race([exited, this.#told.promise]);
    this.environment = environment;
    this.#ledger = createLedger({ initial: record.lineage });
  }

  /** Takes over a live tree of an earlier supervisor; its end is learnt from the exit record. */
  static adopt(host: WorkspaceHost, record: TreeRecord, environment: Readonly<Record<string, string>>): SupervisedTree {
    const exited = watchExitRecord(record.exitRecordPath, record.tree);
    return new SupervisedTree(host, record, { exited, emptied: Promise.resolve(false) }, environment);
  }

  /** Its leader has ended, and whoever was to tell has not: its keeper is stopped, say. `null`: nobody knows how. */
  tellEnd(status: ExitStatus | null): void {
    this.#told.resolve(status ?? UNWITNESSED);
  }

  get record(): TreeRecord {
    return this.#record;
  }

  get pid(): number {
    return this.#record.tree.leader.pid;
  }

  /** What the journal says of a start. */
  get facts(): Readonly<Record<string, unknown>> {
    const { tree, outputOffset, ports } = this.#record;
    return { pid: tree.leader.pid, startTime: tree.leader.startTime, outputOffset, ports };
  }

  /** Who is in the tree now; what is seen is remembered, so that it is found again after losing its parent. */
  members(table: ProcessTable): readonly TreeMember[] {
    const members = census(table, this.#record.tree, this.#ledger);
    this.#ledger.observe(members);
    return members;
  }

  /** The pids below the keeper, cheaply: no environment is read. For measuring, not for proving. */
  family(table: ProcessTable): readonly number[] {
    const { keeper, leader } = this.#record.tree;
    const below = table.descendantsOf(keeper?.pid ?? leader.pid).filter((row) => !isDead(row));
    const identityOf = (row: ProcessRow) => ({ pid: row.pid, startTime: row.startTime, bootId: table.bootId });
    this.#ledger.observe(below.map((row) => ({ identity: identityOf(row) })));
    const pids = below.map((row) => row.pid);
    return keeper === null ? [leader.pid, ...pids] : pids;
  }

  /**
   * Writes down whom a look has found, so that a successor knows of those as well who have shed every other mark. The
   * first look counts, later ones twice: who comes and goes (each command of a shell loop) is not worth a write.
   */
  rememberLasting(): void {
    const seen = this.#ledger.identities();
    const known = new Set(this.#record.lineage.map(identityKey));
    const before = this.#lookedAt;
    this.#lookedAt = new Set(seen.map(identityKey));
    const isNews = (key: string): boolean => !known.has(key) && (before === null || before.has(key));
    if ([...this.#lookedAt].some(isNews)) this.remember();
  }

  /** Writes what the census learnt into the registry. */
  remember(changes: { readyAt?: number | null; ports?: readonly number[]; owner?: Owner } = {}): void {
    this.#record = { ...this.#record, ...changes, lineage: this.#ledger.identities() };
    const { registry } = this.#host;
    // Readiness is not asked for again by whoever adopts the tree, so it must outlive a kill in the next instant.
    const isSure =
      changes.readyAt !== undefined && registry.get(this.#record.key)?.tree.marker === this.#record.tree.marker;
    if (isSure) registry.registerNow(this.#record);
    else registry.update(this.#record);
  }

  /** Ends the tree gracefully and proves it empty. A second call joins the first. */
  terminate(options: StopOptions): Promise<EmptyProof> {
    this.#ending ??= this.#finish(terminateTree(this.#record.tree, { ...options, ledger: this.#ledger }), options);
    return this.#ending;
  }

  /** Kills what is left at once and proves it empty. */
  reap(): Promise<EmptyProof> {
    this.#ending ??= this.#finish(this.#killRest());
    return this.#ending;
  }

  /**
   * A keeper ends right after a leader that has left nobody, and its end is proof enough: a look at every process of the
   * machine for each crash would make the cost of one grow with the number of all.
   */
  async #killRest(): Promise<EmptyProof> {
    const began = performance.now();
    const isEmpty = await Promise.race([this.#emptied, sleep(KEEPER_MOMENT_MS, false, { ref: false })]);
    if (!isEmpty) return reapTree(this.#record.tree, { ledger: this.#ledger });
    return { confirmed: [], survivors: [], emptyScans: 0, killed: false, durationMs: performance.now() - began };
  }

  /**
   * Waits for the leader's end, then kills what it left. An end that was asked for and left survivors is one as well:
   * a leader that outlived its SIGKILL (in a system call that does not return) is not waited for.
   */
  async conclude(): Promise<TreeEnd> {
    const reaped = this.exited.then(async (status) => ({ status, proof: await this.reap() }));
    return Promise.race([reaped, this.#survived.promise]);
  }

  /**
   * Forgets the tree once its end is accounted for in the journal: first the registry, then the exit record, so that a
   * supervisor that dies in between is never without both. One with survivors stays registered: the next supervisor
   * must know of it too.
   */
  release(proof: EmptyProof): void {
    if (proof.survivors.length > 0 || !this.#host.holds()) return;
    this.#host.registry.unregister(this.#record.key);
    // Of tasks and commands it is the result, which is kept for those who ask.
    if (this.#record.role !== 'service') return;
    try {
      rmSync(this.#record.exitRecordPath, { force: true });
    } catch {
      // It costs a few bytes until the next supervisor clears what belongs to nothing.
    }
  }

  async #finish(ending: Promise<EmptyProof>, asked: Partial<StopOptions> = {}): Promise<EmptyProof> {
    const proof = await ending;
    this.#host.journal('tree_reaped', {
      name: this.#record.name,
      incarnation: this.#record.incarnation,
      confirmed: proof.confirmed.length,
      survivors: proof.survivors.map(({ identity, reason }) => ({ ...identity, reason })),
      killed: proof.killed,
      durationMs: Math.round(proof.durationMs),
      ...asked,
    });
    if (proof.survivors.length > 0) this.#survived.resolve({ status: { code: null, signal: null }, proof });
    return proof;
  }
}

/** Puts the number in place of `${port}`; without a port the text stays as it is. */
export function withPort(text: string, port: number | null): string {
  return port === null ? text : text.replaceAll('${port}', String(port));
}

export function fillPortInCommand(command: CommandSpec, port: number | null): CommandSpec {
  switch (command.kind) {
    case 'argv': {
      const [program, ...rest] = command.argv;
      return { kind: 'argv', argv: [withPort(program, port), ...rest.map((word) => withPort(word, port))] };
    }
    case 'shell':
      return { kind: 'shell', script: withPort(command.script, port) };
    default:
      return command satisfies never;
  }
}

function fillPort(env: Readonly<Record<string, string>>, port: number | null): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, withPort(value, port)]));
}

function failed(failure: LaunchFailure): TreeStart {
  return { ok: false, reason: failure.reason, message: describeLaunchFailure(failure) };
}
