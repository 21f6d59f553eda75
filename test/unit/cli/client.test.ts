import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ResponseError } from 'vscode-jsonrpc/node';
import { connect, type SupervisorClient } from '../../../server/api/client.ts';
import { ErrorCode, type Notifications } from '../../../server/api/protocol.ts';
import { type FakeHandlers, FakeSupervisor } from '../../support/fakeSupervisor.ts';
import { serviceStatus, statusResult } from '../../support/serviceStatus.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const HELLO = { kind: 'cli', pid: process.pid, version: '0.0.0', session: null } as const;

describe('a client', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  after(removeTemporaryFolders);

  async function attach(handlers: FakeHandlers): Promise<{ fake: FakeSupervisor; client: SupervisorClient }> {
    const fake = await FakeSupervisor.listen(join(temporaryFolder('client'), 's'), handlers);
    closing.push(() => fake.close());
    const connected = await connect(fake.endpoint, HELLO);
    assert.ok(connected.ok);
    closing.push(() => connected.client.close());
    return { fake, client: connected.client };
  }

  it('says hello first and gets typed answers', async () => {
    const { fake, client } = await attach({ status: () => statusResult([serviceStatus('web')]) });
    const answer = await client.request('status', {});
    assert.ok(answer.ok);
    assert.equal(answer.value.services[0]?.name, 'web');
    assert.deepEqual(
      fake.received.map((one) => one.name),
      ['hello', 'status'],
    );
  });

  it('is told that nobody listens', async () => {
    const connected = await connect(join(temporaryFolder('client'), 'none'), HELLO);
    assert.equal(!connected.ok && connected.failure.reason, 'not_listening');
  });

  it('gives up on a listener that never answers hello', async () => {
    const endpoint = join(temporaryFolder('client'), 's');
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(endpoint, resolve));
    const sockets: { destroy(): void }[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const connected = await connect(endpoint, HELLO, { timeoutMs: 100 });
    assert.equal(!connected.ok && connected.failure.reason, 'no_answer');
  });

  it('is told of another version', async () => {
    const fake = await FakeSupervisor.listen(join(temporaryFolder('client'), 's'), {
      hello: () => {
        throw new ResponseError(ErrorCode.versionMismatch, 'this supervisor speaks protocol 2');
      },
    });
    closing.push(() => fake.close());
    const connected = await connect(fake.endpoint, HELLO);
    assert.equal(!connected.ok && connected.failure.reason, 'version_mismatch');
  });

  it('does not wait for ever for an answer', async () => {
    const { client } = await attach({ status: () => new Promise(() => {}) });
    const answer = await client.request('status', {}, { timeoutMs: 50 });
    assert.deepEqual(!answer.ok && answer.failure, {
      reason: 'timeout',
      request: 'status',
      afterMs: 50,
      pid: process.pid,
    });
  });

  it('learns at once that the connection is lost during a request', async () => {
    const { fake, client } = await attach({ down: () => new Promise(() => {}) });
    const closed = new Promise<void>((resolve) => client.onClose(resolve));
    const answer = client.request('down', {}, { timeoutMs: null });
    await fake.close();
    const lost = await answer;
    assert.equal(!lost.ok && lost.failure.reason, 'connection_lost');
    await closed;
    const after = await client.request('status', {});
    assert.equal(!after.ok && after.failure.reason, 'connection_lost');
  });

  it('tells a refusal with the word of the server', async () => {
    const { client } = await attach({
      exec: () => {
        throw new ResponseError(ErrorCode.spawnFailed, 'command not found: nope', { reason: 'spawn_failed' });
      },
    });
    const answer = await client.request('exec', { argv: ['nope'], cwd: '/', env: {}, session: null });
    assert.deepEqual(!answer.ok && answer.failure, {
      reason: 'refused',
      request: 'exec',
      code: ErrorCode.spawnFailed,
      word: 'spawn_failed',
      detail: 'command not found: nope',
    });
  });

  it('hears of changes', async () => {
    const { fake, client } = await attach({});
    const heard = new Promise<Notifications['changed']>((resolve) => client.onChanged(resolve));
    await fake.changed({ services: [serviceStatus('web', { state: 'ready' })], removed: [], runs: [] });
    assert.equal((await heard).services[0]?.state, 'ready');
  });
});
