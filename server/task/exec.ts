import { basename } from 'node:path';
import { liveness } from '../process/identity.ts';
import type { EmptyProof, ExitStatus, TreeIdentity } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { newMarker, type StartFailureReason, SupervisedTree, startTree, type TreeEnd } from '../service/tree.ts';
import { exitRecordPath, logPath } from '../store/paths.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { type CommandFile, type CommandResult, writeCommandFile } from './commandFile.ts';
import { type ToldCommand, UNTOLD_COMMAND } from './told.ts';

export interface ExecRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly owner: Owner;
  /** It is to live no longer than the terminal that asks for it. */
  readonly attached: boolean;
}

export type ExecStart =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly reason: StartFailureReason; readonly message: string };

/** A command of `coppice exec` that runs, or that has ended. */
export interface Command {
  readonly id: string;
  readonly pid: number;
  readonly log: string;
  /** Settles when the leader ended and nothing of its tree is left, or what survived its end is known. */
  readonly ended: Promise<TreeEnd>;
  /** Ends it and proves it empty; of one that has ended, how that was. */
  stop(): Promise<TreeEnd>;
  /** The caller's terminal is there; one that nobody holds any more is ended. Gives what is called when the terminal leaves. */
  hold(): () => void;
}

/** `exec` gives a command five seconds between SIGTERM and SIGKILL, as any entry has by default. */
const STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

/** A terminal has so long to find the successor of a supervisor that was lost. */
const RETURN_GRACE_MS = 15_000;
/** How often one that did not come back, and still lives (suspended), is looked at. */
const ABSENCE_PERIOD_MS = 2_000;

/** A command of `coppice exec` that runs: a tree like any other, owned by its caller's terminal or session. */
export class ExecCommand implements Command {
  readonly tree: SupervisedTree;
  readonly ended: Promise<TreeEnd>;
  readonly #host: WorkspaceHost;
  #file: CommandFile;
  #holders = 0;
  #isEnding = false;
  #hasEnded = false;
  #absence: NodeJS.Timeout | null = null;

  private constructor(host: WorkspaceHost, file: CommandFile, tree: SupervisedTree, told: ToldCommand) {
    this.#host = host;
    this.#file = file;
    this.tree = tree;
    this.ended = this.#conclude(told);
  }

  static async start(host: WorkspaceHost, file: CommandFile, request: ExecRequest): Promise<ExecStart> {
    const { id, owner, marker } = file;
    const started = await startTree(host, {
      key: keyOf(id),
      name: nameOf(id),
      role: 'exec',
      incarnation: 1,
      owner,
      onSupervisorLoss: 'adopt',
      command: { kind: 'argv', argv: request.argv },
      cwd: request.cwd,
      baseEnvironment: request.env,
      env: {},
      envFiles: [],
      stdin: 'ignore',
      port: null,
      logPath: commandLog(host, id),
      marker,
    });
    if (!started.ok) return started;
    // The words of a command may hold secrets; its program is all that is told.
    tellStarted(host, file, started.tree.pid, basename(request.argv[0]));
    return { ok: true, command: new ExecCommand(host, file, started.tree, UNTOLD_COMMAND) };
  }

  /** Goes on with a command of an earlier supervisor. Its terminal may come back; so may its end have come already. */
  static adopt(host: WorkspaceHost, file: CommandFile, record: TreeRecord, told: ToldCommand): ExecCommand {
    if (!told.started) tellStarted(host, file, record.tree.leader.pid, null);
    const command = new ExecCommand(host, file, SupervisedTree.adopt(host, record, {}), told);
    if (file.stopping) void command.#end('taken_over');
    else if (file.attached) command.#awaitHolder(RETURN_GRACE_MS);
    return command;
  }

  get id(): string {
    return this.#file.id;
  }

  /** It lives no longer than its terminal. */
  get attached(): boolean {
    return this.#file.attached;
  }

  get owner(): Owner {
    return this.#file.owner;
  }

  get pid(): number {
    return this.tree.pid;
  }

  get log(): string {
    return this.tree.record.logPath;
  }

  stop(): Promise<TreeEnd> {
    return this.#end('stop');
  }

  hold(): () => void {
    if (!this.#file.attached) return () => {};
    this.#holders += 1;
    this.#endAbsence();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#holders -= 1;
      if (this.#holders === 0) void this.#end('terminal_gone');
    };
  }

  async #end(reason: 'stop' | 'terminal_gone' | 'taken_over'): Promise<TreeEnd> {
    if (!this.#file.stopping) this.#save({ stopping: true });
    if (!this.#isEnding && !this.#hasEnded) this.#host.journal('exec_stopping', { name: nameOf(this.id), reason });
    this.#isEnding = true;
    await this.tree.terminate(STOP);
    return this.ended;
  }

  async #conclude(told: ToldCommand): Promise<TreeEnd> {
    const { status, proof } = await this.tree.conclude();
    this.#hasEnded = true;
    if (!told.ended) tellEnded(this.#host, this.#file, status, Date.now());
    this.#endAbsence();
    if (proof.survivors.length === 0) this.#save({ result: { pid: this.pid, status, proof } });
    this.tree.release(proof);
    return { status, proof };
  }

  #awaitHolder(delayMs: number): void {
    this.#absence = setTimeout(() => {
      const { owner } = this.#file;
      const lives = owner.kind === 'session' && owner.process !== null && liveness(owner.process) === 'alive';
      if (lives) this.#awaitHolder(ABSENCE_PERIOD_MS);
      else void this.#end('terminal_gone');
    }, delayMs);
    this.#absence.unref();
  }

  #endAbsence(): void {
    if (this.#absence !== null) clearTimeout(this.#absence);
    this.#absence = null;
  }

  #save(changes: Partial<CommandFile>): void {
    this.#file = { ...this.#file, ...changes };
    saveCommand(this.#host, this.#file);
  }
}

/** A command that has ended, as its file tells. */
export function endedCommand(host: WorkspaceHost, id: string, { pid, status, proof }: CommandResult): Command {
  const ended = Promise.resolve({ status, proof });
  return { id, pid, log: commandLog(host, id), ended, stop: () => ended, hold: () => () => {} };
}

export function newCommandFile(host: WorkspaceHost, id: string, owner: Owner, attached: boolean): CommandFile {
  const marker = newMarker(host.id, nameOf(id), 1);
  return { id, marker, owner, startedAt: Date.now(), attached, stopping: false, result: null };
}

/** Until it can be written the command runs all the same; only a successor would not know what it was asked for. */
export function saveCommand(host: WorkspaceHost, file: CommandFile): void {
  if (!host.holds()) return;
  host.save(`command ${file.id}`, () => writeCommandFile(host.stateDir, file));
}

/** What the registry would hold of a command. */
export function commandRecord(host: WorkspaceHost, file: CommandFile, tree: TreeIdentity): TreeRecord {
  return {
    key: keyOf(file.id),
    name: nameOf(file.id),
    role: 'exec',
    incarnation: 1,
    tree,
    owner: file.owner,
    onSupervisorLoss: 'adopt',
    logPath: commandLog(host, file.id),
    outputOffset: 0,
    exitRecordPath: commandExit(host, file.id),
    ports: [],
    startedAt: file.startedAt,
    readyAt: null,
    environment: [],
    lineage: [],
  };
}

export function keyOf(id: string): string {
  return `exec/${id}`;
}

export function commandExit(host: WorkspaceHost, id: string): string {
  return exitRecordPath(host.stateDir, keyOf(id), 1);
}

/** Of a tree that ended while nobody was there, and of which the process table has nothing any more. */
export function endedUnseen(pid: number, status: ExitStatus): CommandResult {
  const proof: EmptyProof = { confirmed: [], survivors: [], emptyScans: 0, killed: false, durationMs: 0 };
  return { pid, status, proof };
}

/** `program` is not known of one that was found. */
export function tellStarted(host: WorkspaceHost, file: CommandFile, pid: number, program: string | null): void {
  const { id, owner } = file;
  const session = owner.kind === 'session' ? owner.session : null;
  host.journal('exec_started', { name: nameOf(id), pid, program, session, client: clientPid(owner) });
}

export function tellEnded(host: WorkspaceHost, file: CommandFile, status: ExitStatus, at: number): void {
  const runDurationMs = Math.max(0, at - file.startedAt);
  host.journal('exec_ended', { name: nameOf(file.id), ...status, runDurationMs });
}

function clientPid(owner: Owner): number | null {
  return owner.kind === 'session' ? (owner.process?.pid ?? null) : null;
}

export function nameOf(id: string): string {
  return `exec-${id}`;
}

function commandLog(host: WorkspaceHost, id: string): string {
  return logPath(host.stateDir, nameOf(id));
}
