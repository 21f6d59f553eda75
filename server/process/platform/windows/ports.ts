/** Who holds which TCP port on Windows. */
import type { HelperText } from '../../helperText.ts';
import type { ProcessFacts, SocketHolder } from '../../ports.ts';

export async function findHolder(port: number, run: HelperText): Promise<SocketHolder | null> {
  const holders = parseNetstat((await run(['netstat.exe', '-ano'])) ?? '').filter((holder) => holder.port === port);
  return holders.find((holder) => holder.listening) ?? holders[0] ?? null;
}

export async function findListeners(pids: readonly number[], run: HelperText): Promise<SocketHolder[]> {
  if (pids.length === 0) return [];
  const wanted = new Set(pids);
  const holders = parseNetstat((await run(['netstat.exe', '-ano'])) ?? '');
  return holders.filter((holder) => holder.listening && holder.pid !== null && wanted.has(holder.pid));
}

export async function describeProcess(pid: number, run: HelperText): Promise<ProcessFacts> {
  const script =
    `$p = Get-CimInstance Win32_Process -Filter "ProcessId=${pid}"; ` +
    'if ($p) { "$(([DateTimeOffset]$p.CreationDate).ToUnixTimeMilliseconds()) $($p.CommandLine)" }';
  const text = await run(['powershell.exe', '-NoLogo', '-NoProfile', '-NonInteractive', '-Command', script]);
  const match = /^(\d+) (.*?)\s*$/m.exec(text ?? '');
  // A listener whose process is gone keeps its pid in the table: a child inherited the socket. Both stay unknown.
  return { command: match?.[2] ?? '', since: match === null ? null : Number(match[1]), marker: null };
}

/**
 * Rows of `netstat -ano`. The word for the state is translated (`LISTENING`, `ABHÖREN`), so a listener is known by
 * its foreign port 0; rows of UDP have no state and are left out.
 */
export function parseNetstat(text: string): SocketHolder[] {
  const holders: SocketHolder[] = [];
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*TCP\s+(\S+):(\d+)\s+\S+:(\d+)\s+.*?(\d+)\s*$/.exec(line);
    if (match === null) continue;
    const pid = Number(match[4]);
    holders.push({
      port: Number(match[2]),
      address: (match[1] ?? '').replace(/^\[(.*)\]$/, '$1'),
      // Pid 0 stands for sockets that no process owns any more (TIME_WAIT).
      pid: pid === 0 ? null : pid,
      uid: null,
      listening: match[3] === '0',
    });
  }
  return holders.filter((holder) => holder.listening || holder.pid !== null);
}
