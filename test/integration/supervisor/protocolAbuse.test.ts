import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RawClient } from '../../support/rawClient.ts';
import { closeWorkspaces, isAlive, openWorkspace, STEADY, type SupervisedWorkspace } from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('clients that do not behave', () => {
  let workspace: SupervisedWorkspace;
  let endpoint: string;
  const clients: RawClient[] = [];

  before(async () => {
    workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    endpoint = workspace.lock?.endpoint ?? '';
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.end();
    // The one that matters to everybody else.
    assert.equal((await workspace.service('web')).state, 'ready');
  });

  after(closeWorkspaces);

  async function client(): Promise<RawClient> {
    const opened = await RawClient.open(endpoint);
    clients.push(opened);
    return opened;
  }

  async function greeted(): Promise<RawClient> {
    const opened = await client();
    opened.hello();
    await opened.answer(0);
    return opened;
  }

  const NONSENSE: readonly (readonly [string, string | Buffer])[] = [
    ['bytes that are no text', Buffer.from([0, 255, 254, 13, 10, 13, 10, 1, 2, 3])],
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a length beyond the limit', 'Content-Length: 999999999\r\n\r\n'],
    ['a length that is no number', 'Content-Length: -5\r\n\r\n{}'],
    ['a length beyond all numbers', `Content-Length: ${'9'.repeat(400)}\r\n\r\n`],
    ['a header without end', `Content-Length: 5\r\n${'X'.repeat(5000)}`],
    ['a header without a length', '\r\n\r\n'],
    ['a body that is no JSON', 'Content-Length: 7\r\n\r\n{"a": }'],
    ['a body that is torn UTF-8', Buffer.concat([Buffer.from('Content-Length: 2\r\n\r\n'), Buffer.from([0x22, 0xc3])])],
  ];

  for (const [what, bytes] of NONSENSE) {
    it(`${what}: the connection is closed at once`, async () => {
      const one = await client();
      one.socket.write(bytes);
      await one.untilClosed();
    });

    it(`${what}, after a good hello: the connection is closed`, async () => {
      const one = await greeted();
      one.socket.write(bytes);
      await one.untilClosed();
    });
  }

  for (const [what, message] of [
    ['null', 'null'],
    ['a number', '5'],
    ['a list', '[]'],
    ['an object that is no message', '{"hello":"there"}'],
    ['an answer to nothing', '{"jsonrpc":"2.0","id":77,"result":1}'],
    ['a request whose id is an object', '{"jsonrpc":"2.0","id":{},"method":"status"}'],
    ['a request whose method is a number', '{"jsonrpc":"2.0","id":3,"method":5}'],
    [
      'a deeply nested body',
      `{"jsonrpc":"2.0","id":1,"method":"status","params":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ],
  ] as const) {
    it(`${what} as a message harms nobody`, async () => {
      const one = await greeted();
      one.frame(message);
      const other = await greeted();
      other.request(1, 'status');
      assert.ok((await other.answer(1)).result);
    });
  }

  it('a request before hello is answered by an error, then the connection is closed', async () => {
    const one = await client();
    one.request(1, 'status');
    const { error } = await one.answer(1);
    assert.deepEqual([error?.code, /hello/.test(error?.message ?? '')], [-32001, true]);
    await one.untilClosed();
  });

  it('another version is answered by an error that names both, then the connection is closed', async () => {
    const one = await client();
    one.hello(1, 99);
    const { error } = await one.answer(1);
    assert.deepEqual([error?.code, /99/.test(error?.message ?? '')], [-32002, true]);
    await one.untilClosed();
  });

  it('a method that there is not is answered by an error that names it, and the connection stays', async () => {
    const one = await greeted();
    one.request(1, 'toString');
    const { error } = await one.answer(1);
    assert.deepEqual([error?.code, /toString/.test(error?.message ?? '')], [-32601, true]);
    one.request(2, 'status');
    assert.ok((await one.answer(2)).result);
  });

  for (const [method, params, field] of [
    ['up', { names: 'web' }, 'params.names'],
    ['stop', { names: ['web', 5] }, 'params.names[1]'],
    ['wait', { name: 'web', for: 'ever', timeoutMs: null }, 'params.for'],
    ['wait', { name: 'web', for: 'ready', timeoutMs: -1 }, 'params.timeoutMs'],
    ['exec', { argv: [], cwd: '/', env: {}, session: null }, 'params.argv'],
    ['exec', { argv: ['x'], cwd: '/', env: { A: 1 }, session: null }, 'params.env.A'],
    ['reap', {}, 'params.session'],
    ['up', [['web']], 'params'],
  ] as const) {
    it(`${method} with ${JSON.stringify(params)} is answered by an error that names ${field}`, async () => {
      const one = await greeted();
      one.request(1, method, params);
      const { error } = await one.answer(1);
      assert.equal(error?.code, -32602);
      assert.ok(error?.message.includes(field), error?.message);
    });
  }

  it('an argument with a NUL byte is refused, not fatal', async () => {
    const one = await greeted();
    one.request(1, 'exec', { argv: ['echo', 'a\0b'], cwd: '/', env: {}, session: null });
    assert.ok((await one.answer(1)).error);
  });

  it('a name of the prototype is an unknown name', async () => {
    const one = await greeted();
    one.request(1, 'start', { names: ['__proto__', 'constructor'] });
    const { result } = await one.answer(1);
    assert.deepEqual(
      (result as { outcomes: { reason: string }[] }).outcomes.map((outcome) => outcome.reason),
      ['unknown_name', 'unknown_name'],
    );
  });

  it('a client that asks and never reads is let go before its answers fill the memory', async () => {
    const one = await greeted();
    one.socket.pause();
    let refused = false;
    one.socket.once('close', () => {
      refused = true;
    });
    const batch = Array.from({ length: 2000 }, (_, index) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: index + 1, method: 'status', params: {} });
      return `Content-Length: ${body.length}\r\n\r\n${body}`;
    }).join('');
    await until(
      'the end of the connection',
      () => {
        if (!refused && one.socket.writableLength < 1_000_000) one.socket.write(batch);
        return refused;
      },
      { timeoutMs: 20_000 },
    );
    assert.ok((await workspace.status()).supervisor !== null);
  });

  it('a client that goes in the middle of a request disturbs nobody', async () => {
    const one = await greeted();
    one.request(1, 'wait', { name: 'web', for: 'exit', timeoutMs: null });
    one.socket.write('Content-Length: 100\r\n\r\n{"half');
    one.end();
    await one.untilClosed();
  });

  it('a thousand connections at once are served, and one more', async () => {
    const many: RawClient[] = [];
    // In portions: the kernel keeps no thousand that are not accepted yet.
    while (many.length < 1000) many.push(...(await Promise.all(Array.from({ length: 100 }, () => client()))));
    const last = await greeted();
    last.request(1, 'status');
    assert.ok((await last.answer(1)).result);
    for (const one of many) one.end();
  });

  it('is the same supervisor after all of this', () => {
    assert.equal(isAlive(workspace.supervisor()), true);
    assert.equal(workspace.eventsNamed('supervisor_started').length, 1);
    assert.deepEqual(workspace.eventsNamed('supervisor_fault'), []);
  });
});

describe('folders that a stranger may have prepared', () => {
  afterEach(closeWorkspaces);

  async function stopped(): Promise<SupervisedWorkspace> {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    void workspace.stateDir;
    await workspace.run('down');
    await until('the release', () => workspace.lock === null);
    return workspace;
  }

  it('a state directory that is a symbolic link is refused, with the reason', async () => {
    const workspace = await stopped();
    const { stateDir } = workspace;
    renameSync(stateDir, `${stateDir}.real`);
    symlinkSync(`${stateDir}.real`, stateDir);
    const { code, stderr } = await workspace.run('up', '--detach');
    assert.notEqual(code, 0);
    assert.match(stderr, /symbolic link/);
    assert.deepEqual([workspace.lock, workspace.marked], [null, []]);
  });

  it('a state directory that others can write is refused, with the reason', async () => {
    const workspace = await stopped();
    chmodSync(workspace.stateDir, 0o770);
    const { code, stderr } = await workspace.run('up', '--detach');
    assert.notEqual(code, 0);
    assert.match(stderr, /0700/);
    chmodSync(workspace.stateDir, 0o700);
  });

  it('a state directory that .coppice names and that is not marked for this workspace is ignored, with the reason', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const trap = join(dirname(workspace.root), 'trap');
    mkdirSync(trap, { mode: 0o700 });
    workspace.write('.coppice/workspace.json', JSON.stringify({ id: '0123456789abcdef', stateDir: trap }));
    await workspace.up();
    assert.notEqual(workspace.stateDir, trap);
    const doctor = await workspace.run('doctor');
    assert.equal(doctor.code, 0, doctor.stdout);
  });

  it('a runtime folder that others can enter is not used for the socket', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    chmodSync(workspace.env.XDG_RUNTIME_DIR ?? '', 0o755);
    await workspace.up();
    assert.equal(workspace.lock?.endpoint.startsWith(workspace.env.XDG_RUNTIME_DIR ?? ''), false);
  });

  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? it : it.skip;
  asRoot('another user cannot connect, although the folders above let him in', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    chmodSync(dirname(workspace.root), 0o755);
    await workspace.up();
    const { endpoint = '' } = workspace.lock ?? {};
    const script = `require('net').connect(${JSON.stringify(endpoint)}).on('connect', () => process.exit(0)).on('error', (error) => { console.log(error.code); process.exit(1); })`;
    const stranger = { uid: 65_534, gid: 65_534, encoding: 'utf8' } as const;
    const tried = spawnSync(process.execPath, ['-e', script], stranger);
    assert.deepEqual([tried.status, tried.stdout.trim()], [1, 'EACCES']);
  });
});
