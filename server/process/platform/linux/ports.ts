/** Who holds which TCP port, from `/proc/net/tcp{,6}` and the open files of processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessFacts, SocketHolder } from '../../ports.ts';

/** One row of a socket table. */
export interface SocketRow {
  readonly address: string;
  readonly port: number;
  readonly listening: boolean;
  readonly uid: number;
  /** `0` when no process has the socket open any more (TIME_WAIT and the like). */
  readonly inode: string;
}

/**
 * The listener of `port`, else a process that uses it as its own end of a connection; `null` when neither exists.
 * `pid` is `null` when no readable process has the socket open: it is another user's, or another pid namespace's.
 */
export async function findHolder(port: number): Promise<SocketHolder | null> {
  const rows = readSocketTables().filter((row) => row.port === port && row.inode !== '0');
  const row = rows.find((candidate) => candidate.listening) ?? rows[0];
  if (row === undefined) return null;
  const pids = await pidsWithSocket(row.inode);
  return { port, address: row.address, pid: oldest(pids), uid: row.uid, listening: row.listening };
}

/** Every port that one of `pids` listens on. A socket that several of them share is listed for each. */
export async function findListeners(pids: readonly number[]): Promise<SocketHolder[]> {
  const rows = new Map<string, SocketRow>();
  for (const row of readSocketTables()) if (row.listening) rows.set(row.inode, row);
  if (rows.size === 0) return [];
  const found: SocketHolder[] = [];
  for (const pid of new Set(pids)) {
    for (const inode of new Set(socketsOf(pid))) {
      const row = rows.get(inode);
      if (row !== undefined) found.push({ port: row.port, address: row.address, pid, uid: row.uid, listening: true });
    }
  }
  return found;
}

/**
 * Established connections to `port` whose other end is in none of `pids`: a dev server's own workers and page checks
 * are not its users.
 */
export async function countConnections(port: number, pids: readonly number[]): Promise<number> {
  const ends = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => parseConnections(readText(file) ?? ''));
  const ours = new Set(pids.flatMap((pid) => socketsOf(pid)));
  const served = ends.filter((end) => end.port === port);
  return served.filter((end) => {
    const other = ends.find((one) => one.port === end.remotePort && one.remotePort === port);
    return other === undefined || !ours.has(other.inode);
  }).length;
}

/** The ends of established connections (state 01) in `/proc/net/tcp` or `/proc/net/tcp6`. */
export function parseConnections(text: string): { port: number; remotePort: number; inode: string }[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [local, remote] = [fields[1]?.split(':')[1], fields[2]?.split(':')[1]];
    if (fields[3] !== '01' || local === undefined || remote === undefined || fields[9] === undefined) return [];
    return [{ port: Number.parseInt(local, 16), remotePort: Number.parseInt(remote, 16), inode: fields[9] }];
  });
}

/** What a person wants to know of a process. Everything may be missing when it is another user's. */
export async function describeProcess(pid: number): Promise<ProcessFacts> {
  const environment = readText(`/proc/${pid}/environ`) ?? '';
  const marker = environment.split('\0').find((entry) => entry.startsWith('COPPICE_TREE='));
  const command = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim();
  return {
    command: command === '' ? (readText(`/proc/${pid}/comm`) ?? '').trim() : command,
    since: startedAt(readText(`/proc/${pid}/stat`) ?? '', readText('/proc/stat') ?? ''),
    marker: marker === undefined ? null : marker.slice('COPPICE_TREE='.length),
  };
}

/** Rows of `/proc/net/tcp` or `/proc/net/tcp6`. */
export function parseSocketTable(text: string): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const local = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? '');
    const [state, uid, inode] = [fields[3], fields[7], fields[9]];
    if (local === null || state === undefined || uid === undefined || inode === undefined) continue;
    rows.push({
      address: parseAddress(local[1] ?? ''),
      port: Number.parseInt(local[2] ?? '', 16),
      listening: state === '0A',
      uid: Number(uid),
      inode,
    });
  }
  return rows;
}

/** Epoch milliseconds of a process's start, from `/proc/<pid>/stat` and the boot time in `/proc/stat`. */
export function startedAt(stat: string, systemStat: string): number | null {
  const boot = /^btime (\d+)$/m.exec(systemStat);
  // The name in parentheses may hold anything, also `)`; what follows the last one is field 3.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3]);
  if (boot === null || !Number.isFinite(ticks)) return null;
  return Number(boot[1]) * 1000 + ticks * MS_PER_TICK;
}

/** The kernel reports in 1/100 s to programs (USER_HZ), whatever its own tick is. */
const MS_PER_TICK = 10;

/** So many processes' open files are looked through before other work gets its turn (about 20 µs for each). */
const PROCESSES_PER_TURN = 64;

function readSocketTables(): SocketRow[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => parseSocketTable(readText(file) ?? ''));
}

async function pidsWithSocket(inode: string): Promise<number[]> {
  const found: number[] = [];
  let looked = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^[1-9]\d*$/.test(name)) continue;
    if (socketsOf(Number(name)).includes(inode)) found.push(Number(name));
    looked += 1;
    if (looked % PROCESSES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

function socketsOf(pid: number): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  const inodes: string[] = [];
  for (const descriptor of descriptors) {
    try {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      if (match?.[1] !== undefined) inodes.push(match[1]);
    } catch {
      // Closed since the folder was listed.
    }
  }
  return inodes;
}

/** Workers that inherited a socket are younger than the process that opened it, which is the one to name. */
function oldest(pids: readonly number[]): number | null {
  const started = (pid: number) =>
    startedAt(readText(`/proc/${pid}/stat`) ?? '', 'btime 0') ?? Number.POSITIVE_INFINITY;
  let best: { pid: number; at: number } | null = null;
  for (const pid of pids) {
    const at = started(pid);
    if (best === null || at < best.at || (at === best.at && pid < best.pid)) best = { pid, at };
  }
  return best?.pid ?? null;
}

/** The table writes each 32-bit word as the machine holds it, so on a little-endian one its bytes are backwards. */
function parseAddress(hex: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let byte = 6; byte >= 0; byte -= 2) bytes.push(Number.parseInt(hex.slice(word + byte, word + byte + 2), 16));
  }
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join('.');
  }
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  }
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
