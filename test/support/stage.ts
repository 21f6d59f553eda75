/** A workspace with a supervisor, a client of it, and services that do what the test tells them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SupervisorClient } from '../../server/api/client.ts';
import type { NameOutcome, RequestName, Requests, ServiceStatus, StatusResult } from '../../server/api/protocol.ts';
import { Director } from './director.ts';
import { until } from './until.ts';
import { type CommandEnd, TestWorkspace } from './workspace.ts';

export type JournalEntry = Readonly<Record<string, unknown>> & { readonly event: string; readonly at: number };

export interface StageConfig {
  readonly services?: Readonly<Record<string, unknown>>;
  readonly tasks?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export class Stage {
  readonly workspace: TestWorkspace;
  readonly director: Director;
  readonly client: SupervisorClient;
  readonly stateDir: string;
  config: StageConfig;

  private constructor(workspace: TestWorkspace, director: Director, client: SupervisorClient, config: StageConfig) {
    this.workspace = workspace;
    this.director = director;
    this.client = client;
    this.stateDir = client.hello.workspace.stateDir;
    this.config = config;
  }

  /** `configure` may ask the director for commands. Starts a supervisor and none of the services. */
  static async open(
    label: string,
    configure: (director: Director, workspace: TestWorkspace) => StageConfig,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Stage> {
    const workspace = new TestWorkspace(label);
    const director = await Director.open();
    const config = configure(director, workspace);
    workspace.configure(config);
    const serving = workspace.begin(['serve'], env);
    const lock = join(workspace.root, '.coppice/supervisor.lock');
    let ended = false;
    void serving.ended.then(() => (ended = true));
    const client = await until('a supervisor that serves', async () => {
      if (ended) throw new Error(`the supervisor ended: ${serving.stderr}${serving.stdout}`);
      try {
        const { endpoint } = JSON.parse(readFileSync(lock, 'utf8')) as { endpoint: string };
        const connected = await connect(endpoint, { kind: 'other', pid: process.pid, version: 'test', session: null });
        return connected.ok ? connected.client : null;
      } catch {
        return null;
      }
    });
    return new Stage(workspace, director, client, config);
  }

  async request<Name extends RequestName>(name: Name, params: Requests[Name][0]): Promise<Requests[Name][1]> {
    const answer = await this.client.request(name, params, { timeoutMs: 30_000 });
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.failure)}`);
    return answer.value;
  }

  async up(...names: string[]): Promise<NameOutcome[]> {
    return [...(await this.request('up', { names })).outcomes];
  }

  async stop(...names: string[]): Promise<NameOutcome[]> {
    return [...(await this.request('stop', { names })).outcomes];
  }

  run(...args: string[]): Promise<CommandEnd> {
    return this.workspace.run(...args);
  }

  status(): Promise<StatusResult> {
    return this.request('status', {});
  }

  async service(name: string): Promise<ServiceStatus> {
    const service = (await this.status()).services.find((one) => one.name === name);
    if (service === undefined) throw new Error(`the status does not list ${name}`);
    return service;
  }

  /** Waits until the service is in a state, or as `accept` wants it. */
  async until(
    name: string,
    accept: ServiceStatus['state'] | ((service: ServiceStatus) => boolean),
    timeoutMs = 15_000,
  ): Promise<ServiceStatus> {
    const accepts = typeof accept === 'string' ? (one: ServiceStatus): boolean => one.state === accept : accept;
    let last: ServiceStatus | null = null;
    try {
      return await until(
        `${name} ${typeof accept === 'string' ? accept : 'as expected'}`,
        async () => {
          last = await this.service(name);
          return accepts(last) ? last : null;
        },
        { timeoutMs, intervalMs: 15 },
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}`);
    }
  }

  /** The journal so far; `name` chooses the entries of one service. */
  journal(name?: string, event?: string): JournalEntry[] {
    const lines = readFileSync(join(this.stateDir, 'events.jsonl'), 'utf8').split('\n').slice(0, -1);
    const entries = lines.map((line) => JSON.parse(line) as JournalEntry);
    return entries.filter(
      (one) => (name === undefined || one.name === name) && (event === undefined || one.event === event),
    );
  }

  /** Waits for the `count`-th such entry. */
  untilJournal(name: string | undefined, event: string, count = 1, timeoutMs = 15_000): Promise<JournalEntry> {
    return until(`${event} (${count}) of ${name}`, () => this.journal(name, event)[count - 1], { timeoutMs });
  }

  log(name: string): string {
    return readFileSync(join(this.stateDir, 'logs', `${name}.log`), 'utf8');
  }

  /** Saves another configuration, of which the supervisor hears by itself. */
  save(config: StageConfig): void {
    this.config = config;
    this.workspace.configure(config);
  }

  async close(): Promise<void> {
    try {
      await this.client.request('down', {}, { timeoutMs: 30_000 });
      this.client.close();
      await until('the end of the supervisor', async () => (await this.workspace.status()).supervisor === null);
    } finally {
      this.director.close();
      await this.workspace.close();
    }
  }
}
