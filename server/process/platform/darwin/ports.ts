/** Who holds which TCP port on macOS (and elsewhere with `lsof`). */
import type { HelperText } from '../../helperText.ts';
import type { ProcessFacts, SocketHolder } from '../../ports.ts';

export async function findHolder(port: number, run: HelperText): Promise<SocketHolder | null> {
  // Another user's sockets are invisible to `lsof` here: `null` then does not mean that the port is free.
  const text = await run(['lsof', '-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpun']);
  const found = parseLsof(text ?? '').filter((holder) => holder.port === port);
  return found[0] ?? null;
}

export async function findListeners(pids: readonly number[], run: HelperText): Promise<SocketHolder[]> {
  if (pids.length === 0) return [];
  const text = await run(['lsof', '-nP', '-a', '-iTCP', '-sTCP:LISTEN', '-p', pids.join(','), '-Fpun']);
  const wanted = new Set(pids);
  return parseLsof(text ?? '').filter((holder) => holder.pid !== null && wanted.has(holder.pid));
}

export async function describeProcess(pid: number, run: HelperText): Promise<ProcessFacts> {
  const text = await run(['ps', '-ww', '-o', 'lstart=,command=', '-p', String(pid)]);
  // The environment of another process cannot be read here unless both are unrestricted; the caller knows its own.
  return { ...parsePs(text ?? ''), marker: null };
}

/** Output of `lsof -Fpun`: one field a line, `p` starts a process and `n` ends a file. */
export function parseLsof(text: string): SocketHolder[] {
  const holders: SocketHolder[] = [];
  let pid: number | null = null;
  let uid: number | null = null;
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) [pid, uid] = [Number(value), null];
    else if (line.startsWith('u')) uid = Number(value);
    else if (line.startsWith('n')) {
      const local = /^(.+):(\d+)$/.exec(value.split('->')[0] ?? '');
      if (local === null) continue;
      const address = (local[1] ?? '').replace(/^\[(.*)\]$/, '$1');
      holders.push({ port: Number(local[2]), address, pid, uid, listening: !value.includes('->') });
    }
  }
  return holders;
}

/** One line of `ps -o lstart=,command=` in the C locale, such as `Fri Nov 21 12:40:01 2025     node server.js`. */
export function parsePs(text: string): { readonly command: string; readonly since: number | null } {
  const match = /^\s*(\w{3}\s+\w{3}\s+\d+\s+\d+:\d\d:\d\d\s+\d{4})\s+(.*?)\s*$/m.exec(text);
  if (match === null) return { command: '', since: null };
  const since = Date.parse(match[1] ?? '');
  return { command: match[2] ?? '', since: Number.isNaN(since) ? null : since };
}
