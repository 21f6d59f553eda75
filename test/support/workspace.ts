/**
 * A workspace of the test's own with a supervisor of its own: files, the built `coppice` command, and a clean end.
 * Whatever a test does, `close` proves by marker that nothing of the workspace is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { StatusResult } from '../../server/api/protocol.ts';
import { temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');
export const COMMAND = join(PROJECT, 'dist/coppice.cjs');

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `coppice` command. */
export class RunningCommand {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<CommandEnd>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((done) =>
      child.once('close', (code, signal) => done({ code, signal, stdout: this.stdout, stderr: this.stderr })),
    );
  }
}

export class TestWorkspace {
  readonly root: string;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  /** The program that `begin` and `run` start. */
  protected readonly command: string = COMMAND;
  readonly #commands = new Set<RunningCommand>();

  constructor(label = 'workspace') {
    const folder = temporaryFolder(label);
    this.root = join(folder, 'root');
    this.state = join(folder, 'state');
    mkdirSync(this.root);
    mkdirSync(this.state, { mode: 0o700 });
    mkdirSync(join(folder, 'runtime'), { mode: 0o700 });
    this.env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      XDG_STATE_HOME: this.state,
      XDG_RUNTIME_DIR: join(folder, 'runtime'),
      NO_COLOR: '1',
    };
  }

  write(path: string, text: string): string {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Writes `coppice.json`. */
  configure(config: unknown): void {
    this.write('coppice.json', JSON.stringify(config, null, 2));
  }

  /** Starts `coppice ...` in the workspace. */
  begin(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const child = spawn(process.execPath, [this.command, ...args], {
      cwd: this.root,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new RunningCommand(child);
    this.#commands.add(command);
    void command.ended.then(() => this.#commands.delete(command));
    return command;
  }

  /** Runs `coppice ...` to its end. */
  run(...args: string[]): Promise<CommandEnd> {
    return this.begin(args).ended;
  }

  /** Runs `coppice ...` to its end, which must be a good one. */
  async must(...args: string[]): Promise<CommandEnd> {
    const end = await this.run(...args);
    if (end.code === 0) return end;
    throw new Error(`coppice ${args.join(' ')} ended with ${end.code ?? end.signal}: ${end.stderr}${end.stdout}`);
  }

  /** Runs `coppice ... --json` and parses what it prints. */
  async json<T>(...args: string[]): Promise<T> {
    const { stdout, stderr, code } = await this.run(...args, '--json');
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`coppice ${args.join(' ')} --json printed no JSON (exit ${code}): ${stdout}${stderr}`);
    }
  }

  status(): Promise<StatusResult> {
    return this.json<StatusResult>('ps');
  }

  async service(name: string): Promise<StatusResult['services'][number]> {
    const service = (await this.status()).services.find((one) => one.name === name);
    if (service === undefined) throw new Error(`ps does not list ${name}`);
    return service;
  }

  /** Waits until `ps` shows the service as `accept` wants it. */
  untilService(
    name: string,
    accept: (service: StatusResult['services'][number]) => boolean,
    timeoutMs = 20_000,
  ): Promise<StatusResult['services'][number]> {
    return until(
      `${name} as expected`,
      async () => {
        const service = await this.service(name);
        return accept(service) ? service : null;
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  /** The journal so far, torn or foreign lines left out. */
  async journal(): Promise<Record<string, unknown>[]> {
    const { workspace } = await this.status();
    const lines = readFileSync(join(workspace.stateDir, 'events.jsonl'), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Ends the supervisor and every command of the test, and fails if anything carries the workspace's marker still. */
  async close(): Promise<void> {
    for (const command of this.#commands) command.child.kill('SIGKILL');
    const { workspace } = await this.status();
    await this.run('down');
    const left = marked(`${workspace.id}/`);
    rmSync(this.root, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.map((one) => `${one.pid} ${one.command}`).join(', ')}`);
  }
}

/** Living processes whose `COPPICE_TREE` begins with `prefix`. */
export function marked(prefix: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1');
      if (!`\0${environment}`.includes(`\0COPPICE_TREE=${prefix}`)) continue;
      found.push({
        pid: Number(entry),
        command: readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' '),
      });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
