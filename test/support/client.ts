/** A client with a process of its own: a window, a terminal, an agent, which can reload, be suspended or die. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type SupervisorClient } from '../../server/api/client.ts';
import type { HelloParams, Notifications, RequestName, Requests } from '../../server/api/protocol.ts';
import { identify } from '../../server/process/identity.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import type { SupervisedWorkspace } from './supervised.ts';
import { until } from './until.ts';

const processes: ChildProcess[] = [];

export class TestClient {
  readonly process: ProcessIdentity;
  readonly #child: ChildProcess;
  readonly #workspace: SupervisedWorkspace;
  readonly #session: string;
  readonly #kind: HelloParams['client']['kind'];
  #client: SupervisorClient | null = null;
  readonly changes: Notifications['changed'][] = [];

  private constructor(workspace: SupervisedWorkspace, session: string, kind: HelloParams['client']['kind']) {
    this.#workspace = workspace;
    this.#session = session;
    this.#kind = kind;
    this.#child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    processes.push(this.#child);
    const found = identify(this.#child.pid ?? 0);
    if (found === null) throw new Error('the process of the client did not start');
    this.process = found;
  }

  /** A client of the supervisor that serves now. */
  static async open(
    workspace: SupervisedWorkspace,
    session: string,
    kind: HelloParams['client']['kind'] = 'editor',
  ): Promise<TestClient> {
    const client = new TestClient(workspace, session, kind);
    await client.connect();
    return client;
  }

  async connect(): Promise<void> {
    const hello = { kind: this.#kind, pid: this.process.pid, version: 'test', session: this.#session };
    this.#client = await until('a connection', async () => {
      const { lock } = this.#workspace;
      const connected = lock === null ? null : await connect(lock.endpoint, hello);
      return connected?.ok === true ? connected.client : null;
    });
    this.#client.onChanged((change) => this.changes.push(change));
  }

  async request<Name extends RequestName>(name: Name, params: Requests[Name][0]): Promise<Requests[Name][1]> {
    const answer = await this.#client?.request(name, params, { timeoutMs: 30_000 });
    if (answer?.ok !== true) throw new Error(`${name}: ${JSON.stringify(answer?.failure)}`);
    return answer.value;
  }

  /** Brings services up and waits until they are ready. */
  async up(...names: string[]): Promise<void> {
    await this.request('up', { names });
    for (const name of names) await this.request('wait', { name, for: 'ready', timeoutMs: 10_000 });
  }

  /** The connection alone: the process lives on. */
  disconnect(): void {
    this.#client?.close();
  }

  /** As a window or terminal that is killed. */
  kill(): void {
    this.#child.kill('SIGKILL');
    this.disconnect();
  }
}

/** Ends the processes of all clients that a test has opened. */
export function killClients(): void {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
}
