/** Established TCP connections, from `/proc/net/tcp{,6}`. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Connection {
  /** Both ends as the table writes them, IPv4 in IPv6 made plain: the peer's row has them the other way round. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number;
  readonly inode: string;
}

/** The established rows of a socket table. */
export function parseConnections(text: string): Connection[] {
  const found: Connection[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [, local, remote, state] = fields;
    if (state !== ESTABLISHED || local === undefined || remote === undefined) continue;
    found.push({
      local: plain(local),
      remote: plain(remote),
      localPort: Number.parseInt(local.slice(local.indexOf(':') + 1), 16),
      inode: fields[9] ?? '0',
    });
  }
  return found;
}

/** So many connections that `port` serves come from sockets that none of `own` holds. */
export function countFromOutside(connections: readonly Connection[], port: number, own: ReadonlySet<string>): number {
  const byEnds = new Map(connections.map((one) => [`${one.local} ${one.remote}`, one]));
  return connections.filter((served) => {
    if (served.localPort !== port) return false;
    const peer = byEnds.get(`${served.remote} ${served.local}`);
    // A connection out of the tree through a local port that happens to be this number does not occur: it is bound.
    return peer === undefined || !own.has(peer.inode);
  }).length;
}

export function connectionsFromOutside(port: number, pids: readonly number[]): number {
  const connections = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => parseConnections(readText(file)));
  // The dear part, reading every open file of the tree, is seldom needed.
  if (!connections.some(({ localPort }) => localPort === port)) return 0;
  return countFromOutside(connections, port, new Set(pids.flatMap(socketsOf)));
}

const ESTABLISHED = '01';
const MAPPED = '0000000000000000FFFF0000';

function plain(end: string): string {
  return end.startsWith(MAPPED) ? end.slice(MAPPED.length) : end;
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      const target = readLink(`/proc/${pid}/fd/${descriptor}`);
      const match = /^socket:\[(\d+)\]$/.exec(target);
      return match?.[1] === undefined ? [] : [match[1]];
    });
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
