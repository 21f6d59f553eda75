import { createProcessTable, type ProcessTable } from '../../server/process/table.ts';
import type { ProcessIdentity, ProcessRow, TreeIdentity } from '../../server/process/types.ts';

export const BOOT = '11111111-2222-3333-4444-555555555555';

export interface RowSketch {
  pid: number;
  parent?: number;
  group?: number;
  session?: number;
  start?: number;
  state?: string;
  marker?: string | 'unreadable';
}

/** A process table made by hand: group and session default to the pid's own, the parent to 1. */
export function tableOf(sketches: readonly RowSketch[], onRead: (pid: number) => void = () => {}): ProcessTable {
  const rows = new Map<number, ProcessRow>();
  const markers = new Map<number, string>();
  for (const { pid, parent = 1, group = pid, session = group, start = pid, state = 'S', marker } of sketches) {
    rows.set(pid, { pid, parent, group, session, state, startTime: String(start), name: `p${pid}` });
    if (marker !== undefined) markers.set(pid, marker);
  }
  const markerOf = (row: ProcessRow): string | null => {
    onRead(row.pid);
    return markers.get(row.pid) ?? null;
  };
  return createProcessTable({ rows, markerOf }, BOOT, (a, b) => Number(a) - Number(b));
}

export function identityOf(pid: number, start = pid, bootId = BOOT): ProcessIdentity {
  return { pid, startTime: String(start), bootId };
}

/** A tree whose leader is `leader` and whose keeper, if any, is `keeper`. */
export function treeOf(
  leader: ProcessIdentity,
  keeper: ProcessIdentity | null = null,
  marker = 'w/web/1/r4nd0m',
): TreeIdentity {
  return { leader, keeper, group: leader.pid, session: leader.pid, marker };
}
