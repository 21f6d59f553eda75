/** Pure readers of what `ps` prints on macOS and the BSDs. */
import type { ProcessRow } from '../../types.ts';

/** The columns that `parseProcessTable` reads; every header is empty so that none is printed. */
export const TABLE_COMMAND = ['/bin/ps', '-axo', 'pid=,ppid=,pgid=,sess=,stat=,lstart=,comm='] as const;

/** `-E` shows the environment after the command line, of those processes that the system lets one see. */
export const ENVIRONMENT_COMMAND = ['/bin/ps', '-axEww', '-o', 'pid=,command='] as const;

/** The words of `lstart` depend on the locale and the time zone; identities are compared as text. */
export const HELPER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC0', PATH: '/usr/bin:/bin' } as const;

const TABLE_LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+\d+:\d+:\d+\s+\d+)\s+(.*)$/;

/** Lines that are not understood are left out: a torn line proves nothing about a process. */
export function parseProcessTable(text: string): Map<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const line of text.split('\n')) {
    const found = TABLE_LINE.exec(line);
    if (found === null) continue;
    const [, pid, parent, group, session, state, startTime, name] = found as unknown as string[];
    rows.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: sessionNumber(session!),
      state: state!,
      startTime: startTime!.replace(/\s+/g, ' '),
      name: name!.trimEnd(),
    });
  }
  return rows;
}

/**
 * Markers by pid. Only a hint: since macOS 10.11 the environment of the system's own programs is hidden, and anyone
 * may write `COPPICE_TREE=` on a command line, so a value counts only when it equals a whole random marker.
 */
export function parseMarkers(text: string): Map<number, string> {
  const markers = new Map<number, string>();
  for (const line of text.split('\n')) {
    const found = /^\s*(\d+)\s.*\sCOPPICE_TREE=(\S+)/.exec(line);
    if (found !== null) markers.set(Number(found[1]), found[2]!);
  }
  return markers;
}

/** Milliseconds of a start stamp as `ps` prints it under TZ=UTC0; NaN when it is none. */
export function startTimeMs(startTime: string): number {
  return Date.parse(`${startTime} UTC`);
}

/** macOS prints the address of the session (or 0), not its number: then there is no session to compare. */
function sessionNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : 0;
}
