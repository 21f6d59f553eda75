import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { findFreePort, isPortTaken, listeningPorts, portOwner } from '../../../server/process/ports.ts';

const program = join(import.meta.dirname, '../../support/programs/listen.mjs');
const children: ChildProcess[] = [];
const servers: Server[] = [];

async function listenHere(host: string, port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen({ host, port, ipv6Only: host === '::1' });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function listenElsewhere(host: string, env: Record<string, string> = {}): Promise<{ pid: number; port: number }> {
  const child = spawn(process.execPath, [program, host], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const [text] = await once(child.stdout, 'data');
  assert.ok(child.pid !== undefined);
  return { pid: child.pid, port: Number(text) };
}

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
const onLinux = process.platform === 'linux' ? it : it.skip;
const withIPv6 = hasIPv6 ? it : it.skip;

describe('TCP ports', () => {
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    for (const server of servers.splice(0)) {
      server.close();
      await once(server, 'close');
    }
  });

  it('a port that was found can be listened on at once', async () => {
    assert.equal(typeof (await listenHere('127.0.0.1', await findFreePort(new Set()))), 'number');
  });

  it('no port is handed out twice to callers at the same time (R73)', async () => {
    const ports = await Promise.all(Array.from({ length: 40 }, () => findFreePort(new Set())));
    assert.equal(new Set(ports).size, 40);
  });

  it('a reserved port is never handed out (R73)', async () => {
    const all = new Set(Array.from({ length: 65_536 }, (_, port) => port));
    await assert.rejects(findFreePort(all), /no free port found/);
  });

  for (const host of ['127.0.0.1', '0.0.0.0']) {
    it(`a port is taken while somebody listens on ${host}, and free afterwards`, async () => {
      const port = await listenHere(host);
      assert.equal(await isPortTaken(port), true);
      const server = servers.pop();
      server?.close();
      if (server !== undefined) await once(server, 'close');
      assert.equal(await isPortTaken(port), false);
    });
  }

  withIPv6('a port is taken while somebody listens on ::1 alone', async () => {
    assert.equal(await isPortTaken(await listenHere('::1')), true);
  });

  it('the owner of a port is named with pid, command line and start', async () => {
    const before = Date.now();
    const { pid, port } = await listenElsewhere('127.0.0.1');
    const owner = await portOwner(port);
    assert.equal(owner?.pid, pid);
    assert.equal(owner.command, `${process.execPath} ${program} 127.0.0.1`);
    // The kernel's boot time has whole seconds.
    assert.ok(owner.since !== null && Math.abs(owner.since - before) < 3000, `${owner.since} is not near ${before}`);
    assert.equal(owner.uid, process.getuid?.());
  });

  onLinux('the owner of a port is named with the marker of its tree', async () => {
    const { port } = await listenElsewhere('127.0.0.1', { COPPICE_TREE: 'w1/web/3/ab' });
    assert.equal((await portOwner(port))?.marker, 'w1/web/3/ab');
  });

  it('a port without listener has no owner', async () => {
    assert.equal(await portOwner(await findFreePort(new Set())), null);
  });

  it('the listening ports of a tree are those of its members and of nobody else', async () => {
    const first = await listenElsewhere('127.0.0.1');
    const second = await listenElsewhere('0.0.0.0');
    await listenElsewhere('127.0.0.1');
    const found = await listeningPorts([first.pid, second.pid]);
    const key = ({ pid, port }: { pid: number; port: number }) => `${pid}:${port}`;
    assert.deepEqual(found.map(key).sort(), [first, second].map(key).sort());
  });

  withIPv6('a listener on ::1 alone is found', async () => {
    const { pid, port } = await listenElsewhere('::1');
    assert.deepEqual(await listeningPorts([pid]), [{ port, address: '::1', pid }]);
  });

  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? it : it.skip;
  asRoot("a listener of another user is reported with that user's id and without a pid", async () => {
    const port = await listenHere('127.0.0.1');
    const module = join(import.meta.dirname, '../../../server/process/ports.ts');
    const script = `import(${JSON.stringify(module)}).then(async (ports) => console.log(JSON.stringify(await ports.portOwner(${port}))))`;
    const child = spawn(process.execPath, ['-e', script], {
      uid: 65_534,
      gid: 65_534,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [text] = await once(child.stdout, 'data');
    const { pid, uid, command } = JSON.parse(String(text));
    assert.deepEqual({ pid, uid, command }, { pid: null, uid: 0, command: '' });
  });
});
