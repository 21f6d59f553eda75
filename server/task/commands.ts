import { rmSync } from 'node:fs';
import { readExitRecord } from '../process/exitRecord.ts';
import type { EmptyProof, ExitRecord, TreeIdentity } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { commandFilePath } from '../store/paths.ts';
import { quarantineFile } from '../store/quarantine.ts';
import type { Owner, TreeRecord } from '../store/types.ts';
import { type CommandFile, listCommands, readCommandFile } from './commandFile.ts';
import {
  type Command,
  commandExit,
  commandRecord,
  ExecCommand,
  type ExecRequest,
  type ExecStart,
  endedCommand,
  endedUnseen,
  keyOf,
  nameOf,
  newCommandFile,
  saveCommand,
  tellEnded,
  tellStarted,
} from './exec.ts';
import { readToldCommands, type ToldCommand, UNTOLD_COMMAND } from './told.ts';

/** So many that ended are kept in mind, where their files could not be written. */
const REMEMBERED = 100;

/** The commands of `coppice exec`: those that are being launched, those that run, and those that ended of late. */
export class Commands {
  readonly live = new Map<string, ExecCommand>();
  readonly #launching = new Map<string, { readonly starting: Promise<ExecStart>; readonly owner: Owner }>();
  /** What an earlier supervisor left without a result, until it is taken over. */
  readonly #left = new Map<string, CommandFile>();
  #told: ReadonlyMap<string, ToldCommand> = new Map();
  /** Asked for a moment later; those that ended longer ago are in their files. */
  readonly #ended = new Map<string, ExecCommand>();
  readonly #host: WorkspaceHost;
  readonly #changed: () => void;

  constructor(host: WorkspaceHost, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  /** Something runs, or is about to. */
  get busy(): boolean {
    return this.live.size + this.#launching.size > 0;
  }

  find(id: string): Command | undefined {
    const known = this.live.get(id) ?? this.#ended.get(id);
    if (known !== undefined) return known;
    const reading = readCommandFile(this.#host.stateDir, id);
    if (reading.kind !== 'command' || reading.file.result === null) return undefined;
    return endedCommand(this.#host, id, reading.file.result);
  }

  /** Starts a command; one of this id that was started before, by whichever supervisor, is given instead. */
  async start(id: string, request: ExecRequest): Promise<ExecStart> {
    const command = this.find(id);
    if (command !== undefined) return { ok: true, command };
    const launching = this.#launching.get(id);
    if (launching !== undefined) return launching.starting;
    const starting = this.#start(id, request);
    this.#launching.set(id, { starting, owner: request.owner });
    try {
      return await starting;
    } finally {
      this.#launching.delete(id);
    }
  }

  /** Ends those that `belongs`; one that is being launched is waited for, so that it cannot begin behind the back of this. */
  async stop(belongs: (owner: Owner) => boolean): Promise<{ readonly name: string; readonly proof: EmptyProof }[]> {
    const launching = [...this.#launching.values()].filter(({ owner }) => belongs(owner));
    await Promise.allSettled(launching.map(({ starting }) => starting));
    const commands = [...this.live.values()].filter((one) => belongs(one.owner));
    return Promise.all(commands.map(async (one) => ({ name: one.tree.record.name, proof: (await one.stop()).proof })));
  }

  /** Reads what earlier supervisors left of commands. */
  restore(): void {
    const { stateDir, registry } = this.#host;
    for (const id of listCommands(stateDir)) {
      const reading = readCommandFile(stateDir, id);
      if (reading.kind === 'command' && reading.file.result === null) this.#left.set(id, reading.file);
      if (reading.kind !== 'corrupt') continue;
      const aside = quarantineFile(reading.path);
      this.#host.journal('state_set_aside', { kind: 'command_corrupt', path: reading.path, aside });
    }
    const recorded = registry.records().flatMap((one) => (one.role === 'exec' ? [one.name] : []));
    this.#told = readToldCommands(stateDir, new Set([...recorded, ...[...this.#left.keys()].map(nameOf)]));
  }

  /** What the registry would hold of a tree that was launched for a command and not entered any more; `null` for others. */
  recordOf(tree: TreeIdentity): TreeRecord | null {
    const file = [...this.#left.values()].find((one) => one.marker === tree.marker);
    // Its leader has ended by then: what carries the marker still is only the rest of it.
    if (file === undefined || this.#exitOf(file.id) !== null) return null;
    return commandRecord(this.#host, file, tree);
  }

  /** Takes over the tree of a command, which may have ended meanwhile. */
  adopt(record: TreeRecord): void {
    const id = record.key.slice('exec/'.length);
    if (this.live.has(id)) return;
    const { owner, startedAt, tree } = record;
    // Without its file (torn, removed) who asked for it is known, and so is whether that was for a session.
    const attached = owner.kind === 'session' && owner.session.startsWith(TERMINAL_SESSION);
    const rebuilt = { id, marker: tree.marker, owner, startedAt, attached, stopping: false, result: null };
    const file = this.#left.get(id) ?? rebuilt;
    this.#left.delete(id);
    const told = this.#told.get(record.name) ?? UNTOLD_COMMAND;
    this.#follow(ExecCommand.adopt(this.#host, { ...file, owner }, record, told));
  }

  /** Enters the end of what ended before it was on record, and forgets what was never launched. */
  resume(): void {
    for (const [id, file] of this.#left) {
      // Whether it runs cannot be told just now.
      if (this.#host.registry.get(keyOf(id)) !== null) continue;
      this.#left.delete(id);
      const exit = this.#exitOf(id);
      if (exit === null) this.#forget(id);
      else this.#enterEnd(file, exit === 'corrupt' ? { pid: 0, code: null, signal: null, at: Date.now() } : exit);
    }
    this.#told = new Map();
  }

  #enterEnd(file: CommandFile, { pid, code, signal, at }: Pick<ExitRecord, 'pid' | 'code' | 'signal' | 'at'>): void {
    const told = this.#told.get(nameOf(file.id)) ?? UNTOLD_COMMAND;
    if (!told.started) tellStarted(this.#host, file, pid, null);
    if (!told.ended) tellEnded(this.#host, file, { code, signal }, at);
    saveCommand(this.#host, { ...file, result: endedUnseen(pid, { code, signal }) });
  }

  async #start(id: string, request: ExecRequest): Promise<ExecStart> {
    if (this.#left.has(id)) {
      const message = 'an earlier supervisor started this command, and whether it runs cannot be told';
      return { ok: false, reason: 'fault', message };
    }
    const file = newCommandFile(this.#host, id, request.owner, request.attached);
    saveCommand(this.#host, file);
    const started = await ExecCommand.start(this.#host, file, request);
    if (!started.ok) this.#forget(id);
    else if (started.command instanceof ExecCommand) this.#follow(started.command);
    return started;
  }

  #follow(command: ExecCommand): void {
    this.live.set(command.id, command);
    void command.ended.then(() => {
      this.live.delete(command.id);
      this.#ended.set(command.id, command);
      const [oldest] = this.#ended.keys();
      if (this.#ended.size > REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
      this.#changed();
    });
  }

  #exitOf(id: string): ExitRecord | 'corrupt' | null {
    try {
      return readExitRecord(commandExit(this.#host, id));
    } catch {
      return null;
    }
  }

  #forget(id: string): void {
    if (!this.#host.holds()) return;
    try {
      rmSync(commandFilePath(this.#host.stateDir, id), { force: true });
    } catch {
      // It is cleared with what is old.
    }
  }
}

/** What begins the session of a command that belongs to a terminal and to no session of its own. */
export const TERMINAL_SESSION = 'exec-of-';
