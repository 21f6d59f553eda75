import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { ProbeTarget } from '../../server/config/model.ts';
import { identify, liveness } from '../../server/process/identity.ts';
import { findFreePort } from '../../server/process/ports.ts';
import { createProber } from '../../server/service/probes/probe.ts';
import type { ProbeContext, ProbePurpose, ProbeResult } from '../../server/service/probes/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const servers: Server[] = [];
const ours = new Set([process.pid]);

/** Listens in this very process, so that its pid in `treePids` decides whether the server is the service's own. */
function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host }, () => resolve((server.address() as AddressInfo).port));
  });
}

function serve(handler: RequestListener, host?: string): Promise<number> {
  return listen(createHttpServer(handler), host);
}

function answering(status: number, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => response.writeHead(status, headers).end('body');
}

function contextWith(part: Partial<ProbeContext>): ProbeContext {
  const folder = temporaryFolder('probe');
  return {
    port: null,
    cwd: folder,
    workspaceRoot: folder,
    env: { PATH: process.env.PATH ?? '' },
    output: { path: join(folder, 'out.log'), offset: 0 },
    hostSocket: null,
    treePids: () => ours,
    ...part,
  };
}

function ask(
  target: ProbeTarget,
  part: Partial<ProbeContext> = {},
  purpose: ProbePurpose = 'readiness',
  timeoutMs = 10_000,
): Promise<ProbeResult> {
  return createProber(target, contextWith(part), purpose).attempt(AbortSignal.timeout(timeoutMs));
}

const page = (target = '/'): ProbeTarget => ({ kind: 'http', target });

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});
after(removeTemporaryFolders);

describe('the http probe', () => {
  for (const [status, ok] of [
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [500, false],
    [503, false],
  ] as const) {
    it(`takes ${status} for ${ok ? 'ready' : 'not ready'}`, async () => {
      const port = await serve(answering(status));
      assert.equal((await ask(page(), { port })).ok, ok);
    });
  }

  it('does not follow a redirect', async () => {
    const asked: string[] = [];
    const port = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await ask(page('/start'), { port });
    assert.deepEqual(asked, ['/start']);
  });

  it('asks for the path and query of the target, in the name of localhost', async () => {
    let asked = '';
    const port = await serve((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.host}`;
      response.end();
    });
    await ask(page('/health?deep=1'), { port });
    assert.equal(asked, `GET /health?deep=1 localhost:${port}`);
  });

  it('fills the port into a whole URL', async () => {
    const port = await serve(answering(200));
    assert.equal((await ask(page('http://127.0.0.1:${port}/'), { port })).ok, true);
  });

  it('finds a server that listens on ::1 only', async () => {
    const port = await serve(answering(200), '::1');
    assert.equal((await ask(page(), { port })).ok, true);
  });

  it('says that nothing listens', async () => {
    const port = await findFreePort(new Set());
    assert.deepEqual(await ask(page(), { port }), { ok: false, detail: `nothing listens on port ${port}` });
  });

  it('is not ready when another process answers, and names it (R12)', async () => {
    const port = await serve(answering(200));
    const { ok, detail } = await ask(page(), { port, treePids: () => new Set([1]) });
    assert.equal(ok, false);
    assert.match(
      detail,
      new RegExp(`^port ${port} is answered by a process outside the service: pid ${process.pid} \\(`),
    );
  });

  it('looks anew at who is in the tree before it takes an answer for a stranger', async () => {
    const port = await serve(answering(200));
    const treePids = (freshness: 'recent' | 'now'): ReadonlySet<number> => (freshness === 'now' ? ours : new Set([1]));
    assert.equal((await ask(page(), { port, treePids })).ok, true);
  });

  it('is not ready for a port that takes connections and never answers (R68)', async () => {
    const port = await listen(createServer((socket) => socket.on('error', () => {}).resume()));
    const { ok, detail } = await ask(page(), { port }, 'readiness', 100);
    assert.deepEqual([ok, detail], [false, 'no answer in time']);
  });

  it('is not ready for a port that speaks another protocol', async () => {
    const port = await listen(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('220 mail\r\n'),
      ),
    );
    assert.match((await ask(page(), { port })).detail, /HPE_/);
  });

  it('does not wait for the end of a body that never ends', async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    assert.equal((await ask(page(), { port })).ok, true);
  });

  it('leaves no connection open', async () => {
    const server = createHttpServer(answering(200));
    const port = await listen(server);
    await ask(page(), { port });
    const connections = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await until('no connection', async () => (await connections()) === 0);
  });

  it('says that a path needs a port', async () => {
    assert.deepEqual(await ask(page('/')), { ok: false, detail: 'http /: the service has no port' });
  });

  it('says that a target is no URL', async () => {
    assert.deepEqual(await ask(page('ftp://x'), { port: 1 }), { ok: false, detail: 'http ftp://x: not a URL' });
  });
});

describe('the tcp probe', () => {
  const tcp = (port: number | string): ProbeTarget => ({ kind: 'tcp', port: String(port) });

  it('is ready when the tree takes connections', async () => {
    const port = await listen(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end(),
      ),
    );
    assert.equal((await ask(tcp('${port}'), { port })).ok, true);
  });

  it('is not ready when nothing listens', async () => {
    const port = await findFreePort(new Set());
    assert.equal((await ask(tcp(port))).detail, `nothing listens on port ${port}`);
  });

  it('is not ready when another process has the port (R12)', async () => {
    const port = await listen(
      createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end(),
      ),
    );
    assert.match((await ask(tcp(port), { treePids: () => new Set([1]) })).detail, /outside the service/);
  });

  it('says what a port is', async () => {
    assert.match((await ask(tcp('http'))).detail, /not a port between 1 and 65535/);
  });
});

describe('the log probe', () => {
  const log = (pattern: string): ProbeTarget => ({ kind: 'log', pattern });
  const withOutput = (text: string, offset = 0): Partial<ProbeContext> => {
    const path = join(temporaryFolder('probe'), 'out.log');
    writeFileSync(path, text);
    return { output: { path, offset } };
  };

  it('is ready when a line matches', async () => {
    assert.deepEqual(await ask(log('listening on \\d+'), withOutput('starting\nlistening on 80\n')), {
      ok: true,
      detail: 'printed: listening on 80',
    });
  });

  it('is ready at once when the line is printed later', async () => {
    const part = withOutput('starting\n');
    const asked = ask(log('^ready$'), part);
    appendFileSync(part.output?.path ?? '', 'ready\n');
    assert.equal((await asked).ok, true);
  });

  it('takes no line of an earlier incarnation for its own', async () => {
    const earlier = 'ready\n';
    assert.equal((await ask(log('ready'), withOutput(earlier, earlier.length), 'readiness', 100)).ok, false);
  });

  it('sees through colours', async () => {
    assert.equal(
      (await ask(log('^ready in 5 ms$'), withOutput('\u001b[32mready\u001b[39m in \u001b[1m5\u001b[22m ms\n'))).ok,
      true,
    );
  });

  it('finds a line that has no ending yet', async () => {
    assert.equal((await ask(log('^prompt>'), withOutput('prompt> '))).ok, true);
  });

  it('is one attempt that lasts', () => {
    assert.equal(createProber(log('x'), contextWith({}), 'readiness').patient, true);
  });

  it('says that a pattern is none', async () => {
    assert.match((await ask(log('('))).detail, /not a regular expression/);
  });

  it('is live only when a matching line was printed since the last look', async () => {
    const part = withOutput('beat\n');
    const prober = createProber(log('beat'), contextWith(part), 'liveness');
    const looks = [await prober.attempt(AbortSignal.timeout(5_000)), await prober.attempt(AbortSignal.timeout(5_000))];
    appendFileSync(part.output?.path ?? '', 'beat\n');
    looks.push(await prober.attempt(AbortSignal.timeout(5_000)));
    assert.deepEqual(
      looks.map(({ ok }) => ok),
      [true, false, true],
    );
  });
});

describe('the exec probe', () => {
  const exec = (...argv: [string, ...string[]]): ProbeTarget => ({ kind: 'exec', command: { kind: 'argv', argv } });
  const shell = (script: string): ProbeTarget => ({ kind: 'exec', command: { kind: 'shell', script } });

  it('is ready on exit 0', async () => {
    assert.deepEqual(await ask(exec('true')), { ok: true, detail: 'true: exit code 0' });
  });

  it('is not ready on any other, and shows the last line', async () => {
    assert.deepEqual(await ask(shell('echo one; echo two >&2; exit 3')), {
      ok: false,
      detail: 'echo one; echo two >&2; exit 3: exit code 3 (two)',
    });
  });

  it('runs in the environment and folder of the incarnation, and no other', async () => {
    const context = contextWith({ env: { PATH: process.env.PATH ?? '', COPPICE_TREE: 'w/n/1/x' } });
    const { detail } = await createProber(
      shell('echo "$COPPICE_TREE:$HOME:$PWD"; exit 1'),
      context,
      'readiness',
    ).attempt(AbortSignal.timeout(5_000));
    assert.equal(detail.includes(`(w/n/1/x::${context.cwd})`), true, detail);
  });

  it('names a command that is not there', async () => {
    assert.match((await ask(exec('no-such-probe'))).detail, /^command not found: no-such-probe/);
  });

  it('fills in the port', async () => {
    assert.equal((await ask(shell('test ${port} = 4711'), { port: 4711 })).ok, true);
  });

  it('leaves nothing behind when its time is over', async () => {
    const pidFile = join(temporaryFolder('probe'), 'pid');
    const stopped = new AbortController();
    const attempt = createProber(shell(`sleep 600 & echo $! > ${pidFile}; wait`), contextWith({}), 'readiness').attempt(
      stopped.signal,
    );
    const sleeper = await until('the sleeper', () => {
      try {
        return identify(Number(readFileSync(pidFile, 'utf8')));
      } catch {
        return null;
      }
    });
    stopped.abort();
    assert.deepEqual(await attempt, { ok: false, detail: 'no answer in time' });
    await until('the sleeper to be gone', () => liveness(sleeper) !== 'alive');
  });
});
