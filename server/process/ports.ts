/** TCP ports: finding a free one, and finding out who has one that is taken. */
import { createServer } from 'node:net';
import { formatDuration } from '../text/units.ts';
import { helperText } from './helperText.ts';
import * as darwin from './platform/darwin/ports.ts';
import * as linux from './platform/linux/ports.ts';
import * as windows from './platform/windows/ports.ts';

/** A process's end of a TCP socket. */
export interface SocketHolder {
  readonly port: number;
  readonly address: string;
  /** `null`: the process cannot be looked into, as it is another user's or another namespace's. */
  readonly pid: number | null;
  readonly uid: number | null;
  /** `false`: the port is its end of a connection, which keeps others from listening on it just as well. */
  readonly listening: boolean;
}

export interface ProcessFacts {
  /** Untrusted text; empty when it cannot be read. */
  readonly command: string;
  /** Epoch milliseconds of the process's start. */
  readonly since: number | null;
  /** Value of `COPPICE_TREE` in the environment the process was started with. */
  readonly marker: string | null;
}

export interface PortOwner extends SocketHolder, ProcessFacts {}

export interface ListeningPort {
  readonly port: number;
  readonly address: string;
  readonly pid: number;
}

/** `forbidden`: nobody has it, but this user may not listen on it (below 1024, or excluded by Windows). */
export type PortState = 'free' | 'taken' | 'forbidden';

/**
 * A port that nobody listens on, on any address of this machine, that is not in `reserved` and was not handed out
 * in the last half minute. It stays free only as long as nobody takes it: start the listener soon.
 */
export async function findFreePort(reserved: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (reserved.has(port) || wasHandedOut(port)) continue;
    handedOut.set(port, performance.now());
    if ((await portState(port)) === 'free') return port;
  }
  throw new Error(`no free port found in ${MOST_ATTEMPTS} attempts`);
}

/** Whether somebody has `port` on any address. Ask before a start, not during one: it binds the port for a moment. */
export async function isPortTaken(port: number): Promise<boolean> {
  return (await portState(port)) === 'taken';
}

/** Like `isPortTaken`, and whether this user may listen on it at all. */
export async function portState(port: number): Promise<PortState> {
  let forbidden = false;
  // One after another: a wildcard address conflicts with the specific ones, also with our own.
  for (const address of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    const { code } = await bind(address, port);
    if (code === 'EADDRINUSE') return 'taken';
    // EADDRNOTAVAIL and EAFNOSUPPORT: this machine has no IPv6, so nobody can be there.
    if (code === 'EACCES' || code === 'EPERM') forbidden = true;
  }
  return forbidden ? 'forbidden' : 'free';
}

/** Who has `port`: its listener, else who uses it for a connection. `null`: nobody, or nobody that can be seen. */
export async function portOwner(port: number): Promise<PortOwner | null> {
  const holder = await platform.findHolder(port, helperText);
  if (holder === null) return null;
  const unknown: ProcessFacts = { command: '', since: null, marker: null };
  return { ...holder, ...(holder.pid === null ? unknown : await platform.describeProcess(holder.pid, helperText)) };
}

/** The ports that the processes `pids` listen on; one that several of them share is listed for each. */
export async function listeningPorts(pids: readonly number[]): Promise<ListeningPort[]> {
  const found = await platform.findListeners(pids, helperText);
  return found.flatMap(({ port, address, pid }) => (pid === null ? [] : [{ port, address, pid }]));
}

/** How many established connections to `port` come from outside `pids`; `null` where that cannot be seen. */
export async function connectionsFromOutside(port: number, pids: readonly number[]): Promise<number | null> {
  return process.platform === 'linux' ? linux.countConnections(port, pids) : null;
}

/** In words for a message, such as `pid 4711 (node server.js), since 2h 5m, not started by Coppice here`. */
export function describePortHolder(owner: PortOwner, ours: boolean, now = Date.now()): string {
  if (owner.pid === null) {
    const whose = owner.uid === null ? 'a process' : `a process of the user with uid ${owner.uid}`;
    return `${whose} that this user cannot look into`;
  }
  const command = printable(owner.command);
  const parts = [`pid ${owner.pid}${command === '' ? '' : ` (${command})`}`];
  if (!owner.listening) parts.push('which uses it for a connection');
  if (owner.since !== null) parts.push(`running for ${formatDuration(now - owner.since)}`);
  if (owner.uid !== null && owner.uid !== process.getuid?.()) parts.push(`uid ${owner.uid}`);
  const marked = owner.marker === null ? null : markedName(owner.marker);
  if (ours) parts.push(marked === null ? 'one of ours' : `one of ours: ${marked}`);
  else parts.push(marked === null ? 'not one of ours' : `started by another Coppice workspace: ${marked}`);
  return parts.join(', ');
}

const platform = process.platform === 'linux' ? linux : process.platform === 'win32' ? windows : darwin;

const MOST_ATTEMPTS = 200;

/**
 * Below what systems hand out for outgoing connections (from 32768 on Linux, 49152 on macOS and Windows): such a
 * connection could take the port of a service between two incarnations.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/** Between being found and being listened on, a port looks free to the next caller too. */
const HELD_BACK_MS = 30_000;
const handedOut = new Map<number, number>();

function wasHandedOut(port: number): boolean {
  const earliest = performance.now() - HELD_BACK_MS;
  for (const [given, at] of handedOut) if (at < earliest) handedOut.delete(given);
  return handedOut.has(port);
}

/** Listens and closes at once. `port` is the one that was bound, `code` why none was. */
function bind(host: string, port: number): Promise<{ port: number | null; code: string | null }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ port: null, code: error.code ?? error.message }));
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => {
      const address = server.address();
      const bound = address !== null && typeof address === 'object' ? address.port : null;
      server.close(() => resolve({ port: bound, code: null }));
    });
  });
}

/** `<workspace id>/<name>/<incarnation>/<random>`; the name may hold slashes of its own. */
function markedName(marker: string): string | null {
  const match = /^[^/]+\/(.+)\/(\d+)\/[^/]+$/.exec(marker);
  return match === null ? null : `${printable(match[1] ?? '')}, incarnation ${match[2]}`;
}

/** A command line is a stranger's text: no control characters reach the terminal, and it ends somewhere. */
function printable(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ').trim();
  return plain.length > 160 ? `${plain.slice(0, 160)}…` : plain;
}
