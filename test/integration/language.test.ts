import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { identify, liveness } from '../../server/process/identity.ts';
import { readProcessTable } from '../../server/process/table.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { askHost, createLspProber } from '../../server/service/probes/lsp.ts';
import type { ProbeContext } from '../../server/service/probes/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const hostProgram = join(root, 'server/language/host.ts');
const fakeServer = join(root, 'test/support/programs/languageServer.mjs');
const storefront = join(root, 'test/workspaces/storefront');

interface Host {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly folder: string;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  stderr(): string;
}

const started: ChildProcess[] = [];

/** Starts a host as the supervisor does: no input, its own group, its errors in the log. */
function startHost(
  server: readonly string[],
  options: { socket?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Host {
  const folder = options.cwd ?? temporaryFolder('language');
  const socket = options.socket ?? join(temporaryFolder('socket'), 'host.sock');
  const child = spawn(process.execPath, [hostProgram, '--socket', socket, '--', ...server], {
    cwd: folder,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  started.push(child);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, socket, folder, exited, stderr: () => stderr };
}

function startFake(behaviour: string, options: { socket?: string; env?: NodeJS.ProcessEnv } = {}): Host {
  return startHost([process.execPath, fakeServer, behaviour], options);
}

function contextOf(host: Host): ProbeContext {
  return {
    port: null,
    cwd: host.folder,
    workspaceRoot: host.folder,
    env: {},
    output: { path: '/dev/null', offset: 0 },
    hostSocket: host.socket,
    treePids: () => new Set(),
  };
}

async function ready(host: Host): Promise<void> {
  const prober = createLspProber(contextOf(host), 'readiness');
  await until('a ready host', async () => (await prober.attempt(AbortSignal.timeout(5_000))).ok, { timeoutMs: 30_000 });
}

async function serverOf(host: Host): Promise<ProcessIdentity> {
  const answer = await askHost(host.socket, { ask: 'status' }, AbortSignal.timeout(5_000));
  const pid = answer.ok ? answer.status.serverPid : null;
  const identity = pid === null ? null : identify(pid);
  assert.ok(identity !== null);
  return identity;
}

async function gone(identity: ProcessIdentity): Promise<void> {
  await until('the server to be gone', () => liveness(identity) !== 'alive');
}

/** The first answer to one line that is written to the socket as it is. */
function sayToHost(host: Host, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ path: host.socket }, () => socket.write(line));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.once('close', () => resolve(text));
    socket.once('error', reject);
  });
}

describe('the language host', () => {
  afterEach(() => {
    for (const child of started.splice(0))
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  after(removeTemporaryFolders);

  it('is ready once a real language server answered initialize (R45)', async () => {
    const bin = join(storefront, 'node_modules/.bin');
    assert.ok(existsSync(bin), `${bin} is missing: run node test/tools/setup.mjs`);
    const env = { PATH: [bin, join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) };
    const host = startHost(['typescript-language-server', '--stdio'], { cwd: realpathSync(storefront), env });
    await ready(host);
    const { detail } = await createLspProber(contextOf(host), 'liveness').attempt(AbortSignal.timeout(5_000));
    assert.match(detail, /^initialize answered with \d\d capabilities, a request took /);
    const server = await serverOf(host);
    host.child.kill('SIGTERM');
    await host.exited;
    await gone(server);
  });

  it('gives the server the folder it runs in and itself as the process to watch', async () => {
    const host = startFake('answer');
    await ready(host);
    const said = `rootUri ${pathToFileURL(host.folder).href} processId ${host.child.pid}`;
    assert.equal(host.stderr().includes(said), true, host.stderr());
  });

  it('is not ready before the server answered', async () => {
    const host = startFake('silent');
    await until('a status', async () => (await askHost(host.socket, { ask: 'status' }, AbortSignal.timeout(1_000))).ok);
    const { ok, detail } = await createLspProber(contextOf(host), 'readiness').attempt(AbortSignal.timeout(5_000));
    assert.deepEqual([ok, detail], [false, 'the language server has not answered initialize yet']);
  });

  it('says that it is not up yet before its socket is there', async () => {
    const context = { ...contextOf(startFake('answer')), hostSocket: join(temporaryFolder('socket'), 'none.sock') };
    const { detail } = await createLspProber(context, 'readiness').attempt(AbortSignal.timeout(1_000));
    assert.equal(detail, 'language host: not up yet');
  });

  it('ends with the exit code of the server', async () => {
    assert.deepEqual(await startFake('exit:3').exited, { code: 3, signal: null });
  });

  it('ends with 0 when the server did, though nobody asked it to', async () => {
    assert.deepEqual(await startFake('exit:0').exited, { code: 0, signal: null });
  });

  it('ends with 128 and the number of the signal that ended the server', async () => {
    assert.deepEqual(await startFake('signal:SIGKILL').exited, { code: 137, signal: null });
  });

  it('ends with a failure that names the reason when initialize is refused', async () => {
    const host = startFake('refuse');
    const { code } = await host.exited;
    assert.equal(code, 1);
    assert.match(host.stderr(), /initialize was refused: no project here/);
  });

  it('ends with 127 and says where it looked when there is no such server', async () => {
    const host = startHost(['no-such-language-server']);
    assert.equal((await host.exited).code, 127);
    assert.match(host.stderr(), /command not found: no-such-language-server \(looked in /);
  });

  it('ends the server in order on SIGTERM and takes its socket away', async () => {
    const host = startFake('answer');
    await ready(host);
    const server = await serverOf(host);
    host.child.kill('SIGTERM');
    assert.deepEqual(await host.exited, { code: 143, signal: null });
    assert.equal(liveness(server) === 'alive', false);
    assert.equal(existsSync(host.socket), false);
  });

  it('ends a server that does not answer shutdown by the end of its input', async () => {
    const host = startFake('silent');
    await until('a status', async () => (await askHost(host.socket, { ask: 'status' }, AbortSignal.timeout(1_000))).ok);
    const server = await until('the server', async () => {
      const answer = await askHost(host.socket, { ask: 'status' }, AbortSignal.timeout(1_000));
      return answer.ok && answer.status.serverPid !== null ? identify(answer.status.serverPid) : null;
    });
    host.child.kill('SIGTERM');
    await host.exited;
    assert.equal(liveness(server) === 'alive', false);
  });

  it('leaves no server behind when it is killed', async () => {
    const host = startFake('answer');
    await ready(host);
    const server = await serverOf(host);
    host.child.kill('SIGKILL');
    await host.exited;
    await gone(server);
  });

  it('keeps the server in its own group and session, so that both are one tree (R39)', async () => {
    const host = startFake('answer');
    await ready(host);
    const { pid } = await serverOf(host);
    const row = readProcessTable().rows.get(pid);
    assert.deepEqual([row?.group, row?.session], [host.child.pid, host.child.pid]);
  });

  it('gives the server its own environment, marker included', async () => {
    const host = startFake('dump', { env: { COPPICE_TREE: 'workspace/typescript/1/abc' } });
    await ready(host);
    assert.match(host.stderr(), /"COPPICE_TREE":"workspace\/typescript\/1\/abc"/);
  });

  it('serves a socket that only its user may use', async () => {
    const host = startFake('answer');
    await ready(host);
    const modes = [host.socket, dirname(host.socket)].map((path) => statSync(path).mode & 0o777);
    assert.deepEqual(modes, [0o600, 0o700]);
  });

  it('refuses a folder for its socket that others may enter', async () => {
    const folder = join(temporaryFolder('socket'), 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const host = startFake('answer', { socket: join(folder, 'host.sock') });
    assert.equal((await host.exited).code, 1);
    assert.match(host.stderr(), /is open to other users/);
  });

  it('names a path that is too long for a socket', async () => {
    const host = startFake('answer', { socket: join(temporaryFolder('socket'), 'x'.repeat(120)) });
    assert.equal((await host.exited).code, 1);
    assert.match(host.stderr(), /the path of the socket is \d+ bytes long/);
  });

  it('takes over the place of a socket that a killed host left', async () => {
    const first = startFake('answer');
    await ready(first);
    first.child.kill('SIGKILL');
    await first.exited;
    assert.equal(existsSync(first.socket), true);
    const second = startFake('answer', { socket: first.socket });
    await ready(second);
    assert.equal(second.child.exitCode, null);
  });

  for (const line of ['GET / HTTP/1.1\r\n\r\n', '{"ask":"everything"}\n', 'null\n', 'x'.repeat(70_000)]) {
    it(`lets go of a client that says ${JSON.stringify(line.slice(0, 24))} and lives on`, async () => {
      const host = startFake('answer');
      await ready(host);
      assert.match(await sayToHost(host, line), /"problem":/);
      const answer = await askHost(host.socket, { ask: 'status' }, AbortSignal.timeout(5_000));
      assert.equal(answer.ok && answer.status.ready, true);
    });
  }

  it('says how it is called when called wrongly', async () => {
    const child = spawn(process.execPath, [hostProgram, '--socket'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 64);
  });
});
