/** A scratch workspace with a supervisor of its own, driven by the very command that the user has. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cleanEnvironment } from '../../process/environment.ts';
import { identify, liveness } from '../../process/identity.ts';
import { type HelperResult, runHelper } from '../../process/launch.ts';
import { launchDetached } from '../../process/launchDetached.ts';
import { signalProcess } from '../../process/signal.ts';
import { isDead, readCommandLine, readEnvironmentVariable, readProcessTableAsync } from '../../process/table.ts';
import type { ProcessIdentity, ProcessRow } from '../../process/types.ts';
import { readLock } from '../../store/holder.ts';
import { readJournal } from '../../store/journalRead.ts';
import { resolveWorkspace } from '../../store/paths.ts';
import { readRegistry } from '../../store/registryFile.ts';
import type { JournalEvent, SupervisorLock, TreeRecord } from '../../store/types.ts';
import { readGuardian } from '../gather/guardian.ts';
import { findSupervisors } from '../gather/processes.ts';
import type { DrillOptions } from './types.ts';

const COMMAND_LIMIT_MS = 30_000;
const PAUSE_MS = 20;
const CLEAN_UP_MS = 10_000;

export class Stage {
  readonly root: string;
  readonly #folder: string;
  readonly #options: DrillOptions;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #own: ProcessIdentity[] = [];

  constructor(options: DrillOptions) {
    this.#options = options;
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'coppice-drill-')));
    this.root = join(this.#folder, 'workspace');
    for (const name of ['workspace', 'state', 'run']) mkdirSync(join(this.#folder, name), { mode: 0o700 });
    const inherited = Object.entries(cleanEnvironment(options.environment).env);
    this.#environment = {
      // A session of the user's would own what the drill starts, and end it with its lease.
      ...Object.fromEntries(inherited.filter(([name]) => !name.startsWith('COPPICE_'))),
      COPPICE_STATE_HOME: join(this.#folder, 'state'),
      XDG_RUNTIME_DIR: join(this.#folder, 'run'),
    };
  }

  get stateDir(): string {
    const resolved = resolveWorkspace(this.root, { exact: true, environment: this.#environment });
    return resolved.ok ? resolved.workspace.stateDir : join(this.#folder, 'state');
  }

  get id(): string {
    const resolved = resolveWorkspace(this.root, { exact: true, environment: this.#environment });
    return resolved.ok ? resolved.workspace.id : '';
  }

  get searchPath(): string {
    return this.#environment.PATH ?? '';
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** `name` is relative to the workspace, or a path of the state directory. */
  write(name: string, text: string): void {
    writeFileSync(resolve(this.root, name), text, { mode: 0o600 });
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  append(path: string, text: string): void {
    appendFileSync(path, text);
  }

  configure(services: Readonly<Record<string, unknown>>): void {
    this.write('coppice.json', JSON.stringify({ services }));
  }

  /** Runs `coppice ...` to its end. */
  coppice(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<HelperResult> {
    const { command, signal } = this.#options;
    return runHelper([...command, '--cwd', this.root, ...words], {
      env: { ...this.#environment, ...environment },
      cwd: '/',
      timeoutMs: COMMAND_LIMIT_MS,
      signal,
    });
  }

  /** `up --detach` with this configuration. `null`: all is up; else why not. */
  async up(
    services: Readonly<Record<string, unknown>>,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string | null> {
    this.configure(services);
    return problemOf('up --detach', await this.coppice(['up', '--detach'], environment));
  }

  async down(): Promise<string | null> {
    return problemOf('down', await this.coppice(['down']));
  }

  /** Starts a program that Coppice knows nothing of. */
  async startStranger(argv: readonly [string, ...string[]]): Promise<ProcessIdentity | null> {
    const started = await launchDetached({ argv, cwd: '/', env: { ...this.#environment } });
    if (!started.ok) return null;
    started.process.release();
    const identity = identify(started.process.pid);
    if (identity !== null) this.#own.push(identity);
    return identity;
  }

  /** The living supervisor that the lock names. */
  async supervisor(): Promise<(ProcessIdentity & Pick<SupervisorLock, 'endpoint'>) | null> {
    const { verdict, lock } = await readLock(this.root);
    if (verdict !== 'live') return null;
    const { pid, startTime, bootId, endpoint } = lock;
    this.#own.push({ pid, startTime, bootId });
    return { pid, startTime, bootId, endpoint };
  }

  /** The living guardian of that supervisor. */
  async guardian(): Promise<ProcessIdentity | null> {
    const found = await readGuardian(this.stateDir, await readProcessTableAsync());
    if (found.kind !== 'recorded' || found.identity === null || found.liveness !== 'alive') return null;
    this.#own.push(found.identity);
    return found.identity;
  }

  record(name: string): TreeRecord | null {
    const found = [...readRegistry(this.stateDir).trees.values()].find((one) => one.name === name);
    if (found === undefined) return null;
    this.#own.push(found.tree.leader, ...(found.tree.keeper === null ? [] : [found.tree.keeper]));
    return found;
  }

  events(): readonly JournalEvent[] {
    return readJournal(this.stateDir).events;
  }

  signal(identity: ProcessIdentity, signal: NodeJS.Signals): void {
    signalProcess(identity, signal);
  }

  /** Living processes whose marker is of this workspace, or of that service of it. */
  async marked(service?: string): Promise<ProcessRow[]> {
    const prefix = service === undefined ? `${this.id}/` : `${this.id}/${service}/`;
    return this.#rows((row) => {
      const marker = readEnvironmentVariable(row.pid, 'COPPICE_TREE');
      return typeof marker === 'string' && marker.startsWith(prefix);
    });
  }

  /** Living processes with this word among their command line's. */
  called(word: string): Promise<ProcessRow[]> {
    return this.#rows((row) => readCommandLine(row.pid).includes(word));
  }

  async #rows(accept: (row: ProcessRow) => boolean): Promise<ProcessRow[]> {
    const table = await readProcessTableAsync();
    return [...table.rows.values()].filter((row) => !isDead(row) && row.pid !== process.pid && accept(row));
  }

  /** Polls until `look` gives something, for so long at the most; `null`: it never did. */
  async until<T>(look: () => T | null | Promise<T | null>, limitMs: number): Promise<T | null> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > deadline || this.#options.signal.aborted) return null;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Ends everything of this stage, by identity, and removes the folder; gives what could not be ended. */
  async cleanUp(): Promise<string[]> {
    const { command } = this.#options;
    const left = await this.#living();
    for (const one of left) signalProcess(one, 'SIGCONT');
    // Not under the drill's own signal: after Ctrl-C this still has to be done.
    const down = [...command, '--cwd', this.root, 'down'] as const;
    await runHelper([...down], { env: this.#environment, cwd: '/', timeoutMs: CLEAN_UP_MS });
    const deadline = performance.now() + CLEAN_UP_MS;
    let living = await this.#living();
    while (living.length > 0 && performance.now() < deadline) {
      for (const one of living) signalProcess(one, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      living = await this.#living();
    }
    try {
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      return [...living.map((one) => `pid ${one.pid}`), `${this.#folder} (${(error as Error).message})`];
    }
    return living.map((one) => `pid ${one.pid}`);
  }

  /** Whatever is of this stage, the guardian first: it would start another supervisor. */
  async #living(): Promise<ProcessIdentity[]> {
    const table = await readProcessTableAsync();
    const guardian = await readGuardian(this.stateDir, table);
    const marked = (await this.marked()).map(({ pid, startTime }) => ({ pid, startTime, bootId: table.bootId }));
    const found = [
      ...(guardian.kind === 'recorded' && guardian.identity !== null ? [guardian.identity] : []),
      ...findSupervisors(table, this.root).map((one) => one.identity),
      ...this.#own,
      ...marked,
    ];
    return found.filter((one) => liveness(one) === 'alive');
  }
}

/** Ends it, and waits until it is gone; `false`: it could not be ended. */
export async function killAndWait(stage: Stage, identity: ProcessIdentity): Promise<boolean> {
  signalProcess(identity, 'SIGKILL');
  return (await stage.until(() => (liveness(identity) === 'alive' ? null : true), 5_000)) === true;
}

export function problemOf(what: string, result: HelperResult): string | null {
  if (!result.ok) return `\`coppice ${what}\`: ${result.detail}`;
  if (result.code === 0) return null;
  const said = result.stderr.trim().split('\n').slice(-3).join(' ');
  return `\`coppice ${what}\` exited with ${result.code ?? result.signal}: ${said}`;
}
