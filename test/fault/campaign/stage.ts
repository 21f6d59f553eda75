/** The workspace of one campaign, and the hands and eyes of the tormentor in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../../server/api/client.ts';
import type { StatusResult } from '../../../server/api/protocol.ts';
import { failpointBuild } from '../../support/failpoints.ts';
import { configuration } from './cast.ts';
import { type Census, lives, type Seen, takeCensus } from './census.ts';

export interface CommandEnd {
  readonly words: readonly string[];
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export class Stage {
  readonly root: string;
  readonly rolls: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #command = join(failpointBuild(), 'coppice.cjs');
  /** Rules of failure points; the supervisor reads them anew each time. */
  readonly #rules: string;
  /** So many records of the journal were torn on purpose. */
  tornEvents = 0;
  readonly #commands = new Set<ChildProcess>();
  readonly #salt: Record<string, number> = {};

  constructor(folder: string) {
    this.root = join(folder, 'root');
    this.rolls = join(folder, 'rolls');
    for (const name of ['root', 'rolls', 'state', 'runtime'])
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    this.#env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_RUNTIME_DIR: join(folder, 'runtime'),
      NO_COLOR: '1',
    };
    this.#rules = join(folder, 'failpoints');
    this.#env.COPPICE_FAILPOINTS = `@${this.#rules}`;
    writeFileSync(this.#rules, '');
    this.configure();
  }

  /** Writes the configuration; `changed` gets another environment, so that a reload restarts it. */
  configure(changed: string | null = null): void {
    if (changed !== null) this.#salt[changed] = (this.#salt[changed] ?? 0) + 1;
    writeFileSync(join(this.root, 'coppice.json'), JSON.stringify(configuration(this.rolls, this.#salt), null, 2));
  }

  get stateDir(): string {
    return (readJson(join(this.root, '.coppice/workspace.json')) as { stateDir?: string } | null)?.stateDir ?? '';
  }

  get workspaceId(): string {
    return (readJson(join(this.root, '.coppice/workspace.json')) as { id?: string } | null)?.id ?? '-';
  }

  run(...words: string[]): Promise<CommandEnd> {
    const child = spawn(process.execPath, [this.#command, ...words], {
      cwd: this.root,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#commands.add(child);
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    return new Promise((resolve) => {
      child.once('close', (code) => {
        this.#commands.delete(child);
        resolve({ words, code, output, errors });
      });
    });
  }

  /** Has the supervisor die at its next write of that kind; one rule at a time, and each acts once. */
  dieAt(rule: string | null): void {
    if (this.hasDied && readFileSync(`${this.#rules}.fired`, 'utf8').startsWith('events.jsonl:write=torn'))
      this.tornEvents += 1;
    rmSync(`${this.#rules}.fired`, { force: true });
    writeFileSync(this.#rules, rule === null ? '' : `${rule}\n`);
  }

  /** Whether the last rule has acted. */
  get hasDied(): boolean {
    return existsSync(`${this.#rules}.fired`);
  }

  endCommands(): void {
    for (const child of this.#commands) child.kill('SIGKILL');
  }

  /** Who holds the workspace, if it lives. */
  supervisor(census: Census): Seen | null {
    const lock = readJson(join(this.root, '.coppice/supervisor.lock')) as { pid?: number; startTime?: string } | null;
    const seen = lock?.pid === undefined ? undefined : census.get(lock.pid);
    return seen !== undefined && seen.startTime === lock?.startTime ? seen : null;
  }

  guardian(census: Census): Seen | null {
    const file = readJson(join(this.stateDir, 'guardian.json')) as { pid?: number; startTime?: string } | null;
    const seen = file?.pid === undefined ? undefined : census.get(file.pid);
    return seen !== undefined && seen.startTime === file?.startTime ? seen : null;
  }

  /** Everything that belongs to this workspace's trees: marked, or below a keeper that a supervisor of it started. */
  trees(census: Census): Seen[] {
    const prefix = `${this.workspaceId}/`;
    return [...census.values()].filter((one) => one.kind === 'other' && one.marker?.startsWith(prefix));
  }

  async status(): Promise<StatusResult | null> {
    const lock = readJson(join(this.root, '.coppice/supervisor.lock')) as { endpoint?: string } | null;
    if (lock?.endpoint === undefined) return null;
    const client = { kind: 'other', pid: process.pid, version: 'campaign', session: null } as const;
    const linked = await connect(lock.endpoint, client, { timeoutMs: 1000 });
    if (!linked.ok) return null;
    const answer = await linked.client.request('status', {}, { timeoutMs: 2000 });
    linked.client.close();
    return answer.ok ? answer.value : null;
  }
}

/** Signals only who is still the one that was seen. `false`: it was gone. */
export function signal(one: Pick<Seen, 'pid' | 'startTime'>, name: NodeJS.Signals): boolean {
  if (one.pid <= 1 || !lives(one)) return false;
  try {
    process.kill(one.pid, name);
    return true;
  } catch {
    return false;
  }
}

export function readJson(path: string): unknown {
  try {
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  } catch {
    return null;
  }
}

export { takeCensus };
