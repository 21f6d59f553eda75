import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SupervisorClient } from '../../server/api/client.ts';
import type { ExecParams, ExecResult, ExecStarted, RequestName, Requests } from '../../server/api/protocol.ts';
import { identify } from '../../server/process/identity.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { closeWorkspaces, isAlive, openWorkspace, type SupervisedWorkspace, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Notes that it was started, waits for the file `go`, and ends with 23. */
const WAITING = 'echo started >> starts; while [ ! -e go ]; do sleep 0.02; done; exit 23';

describe('a command whose supervisor was killed', () => {
  const clients: SupervisorClient[] = [];
  const terminals: ChildProcess[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const terminal of terminals.splice(0)) terminal.kill('SIGKILL');
    await closeWorkspaces();
  });

  /** A workspace with a supervisor that serves. */
  async function open(): Promise<SupervisedWorkspace> {
    const workspace = openWorkspace({ services: { web: { command: 'sleep 1000', enabled: false } } });
    await succeed(workspace);
    return workspace;
  }

  async function succeed(workspace: SupervisedWorkspace): Promise<void> {
    workspace.begin(['serve']);
    await until('a supervisor', async () => (await workspace.status()).supervisor !== null);
    workspace.supervisor();
  }

  async function dial(workspace: SupervisedWorkspace, pid = process.pid): Promise<SupervisorClient> {
    const endpoint = workspace.lock?.endpoint ?? '';
    const connected = await connect(endpoint, { kind: 'other', pid, version: 'test', session: null });
    assert.ok(connected.ok);
    clients.push(connected.client);
    return connected.client;
  }

  async function ask<Name extends RequestName>(
    client: SupervisorClient,
    name: Name,
    params: Requests[Name][0],
  ): Promise<Requests[Name][1]> {
    const answer = await client.request(name, params);
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value;
  }

  const params = (workspace: SupervisedWorkspace, session: string | null, script = WAITING): ExecParams => ({
    id: 'one',
    argv: ['sh', '-c', script],
    cwd: workspace.root,
    env: { PATH: process.env.PATH ?? '' },
    session,
  });
  const starts = (workspace: SupervisedWorkspace): number =>
    existsSync(join(workspace.root, 'starts'))
      ? readFileSync(join(workspace.root, 'starts'), 'utf8').split('\n').length - 1
      : 0;
  const untilStarted = (workspace: SupervisedWorkspace): Promise<true> =>
    until('the command to run', () => starts(workspace) === 1);
  const results = ({ code, signal: name, proof }: ExecResult): unknown => [code, name, proof.survivors];

  it('is the same command for who asks again by its id, and has its exit code', async () => {
    const workspace = await open();
    const first: ExecStarted = await ask(await dial(workspace), 'exec', params(workspace, 's1'));
    await untilStarted(workspace);
    await workspace.killAll();
    await succeed(workspace);
    const client = await dial(workspace);
    assert.deepEqual(await ask(client, 'exec', params(workspace, 's1')), first);
    const ended = ask(client, 'execWait', { id: 'one' });
    workspace.write('go', '');
    assert.deepEqual([results(await ended), starts(workspace)], [[23, null, []], 1]);
  });

  it('has the exit code of one that ended while nobody was there, with the proof', async () => {
    const workspace = await open();
    const first = await ask(await dial(workspace), 'exec', params(workspace, null));
    await untilStarted(workspace);
    const leader = identify(first.pid) as ProcessIdentity;
    await workspace.killAll();
    workspace.write('go', '');
    await untilGone([leader]);
    await succeed(workspace);
    const client = await dial(workspace);
    assert.deepEqual(await ask(client, 'exec', params(workspace, null)), first);
    assert.deepEqual(results(await ask(client, 'execWait', { id: 'one' })), [23, null, []]);
    assert.equal(starts(workspace), 1);
  });

  it('that had ended before that kill is known after it', async () => {
    const workspace = await open();
    const before = await dial(workspace);
    const first = await ask(before, 'exec', params(workspace, 's1', 'exit 9'));
    const result = await ask(before, 'execWait', { id: 'one' });
    await workspace.killAll();
    await succeed(workspace);
    const client = await dial(workspace);
    assert.deepEqual(await ask(client, 'exec', params(workspace, 's1', 'exit 9')), first);
    assert.deepEqual(await ask(client, 'execStop', { id: 'one' }), result);
  });

  it('is ended by `execStop` of the successor, and proven empty', async () => {
    const workspace = await open();
    const { pid } = await ask(await dial(workspace), 'exec', params(workspace, 's1'));
    await untilStarted(workspace);
    await workspace.killAll();
    await succeed(workspace);
    const result = await ask(await dial(workspace), 'execStop', { id: 'one' });
    assert.deepEqual([results(result), identify(pid)], [[null, 'SIGTERM', []], null]);
  });

  it('belongs to its terminal again, and ends with it', async () => {
    const workspace = await open();
    const { pid } = await ask(await dial(workspace), 'exec', params(workspace, null));
    const leader = identify(pid) as ProcessIdentity;
    await workspace.killAll();
    await succeed(workspace);
    const client = await dial(workspace);
    await ask(client, 'exec', params(workspace, null));
    assert.equal(isAlive(leader), true);
    client.close();
    await untilGone([leader]);
  });

  it('is ended when its terminal is gone and does not come back, and not before', async () => {
    const workspace = await open();
    const terminal = spawn('sleep', ['1000']);
    terminals.push(terminal);
    const started = await ask(await dial(workspace, terminal.pid), 'exec', params(workspace, null));
    const leader = identify(started.pid) as ProcessIdentity;
    await workspace.killAll();
    terminal.kill('SIGKILL');
    await succeed(workspace);
    assert.equal(isAlive(leader), true);
    await untilGone([leader], 25_000);
  });

  it('that was being ended goes on to be ended', async () => {
    const workspace = await open();
    const deaf = 'trap "" TERM; echo started >> starts; while :; do sleep 0.1; done';
    const client = await dial(workspace);
    const { pid } = await ask(client, 'exec', params(workspace, 's1', deaf));
    await untilStarted(workspace);
    void client.request('execStop', { id: 'one' });
    const file = join(workspace.stateDir, 'execs/one.json');
    await until('the stop to be on record', () => readFileSync(file, 'utf8').includes('"stopping":true'));
    const leader = identify(pid) as ProcessIdentity;
    await workspace.killAll();
    assert.equal(isAlive(leader), true);
    await succeed(workspace);
    await untilGone([leader]);
  });

  it('runs on for a session, until that is reaped', async () => {
    const workspace = await open();
    const { pid } = await ask(await dial(workspace), 'exec', params(workspace, 's1'));
    const leader = identify(pid) as ProcessIdentity;
    await workspace.killAll();
    await succeed(workspace);
    const { trees } = await ask(await dial(workspace), 'reap', { session: 's1' });
    assert.deepEqual([trees.map((one) => one.name), isAlive(leader)], [['exec-one'], false]);
  });
});
