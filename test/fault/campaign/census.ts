/** The process table as the campaign reads it: its own few lines, none of the product's, so that both can be wrong. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly startTime: string;
  readonly state: string;
  readonly name: string;
  readonly words: readonly string[];
  /** `COPPICE_TREE`, and `null` for a process without one. */
  readonly marker: string | null;
  readonly kind: 'supervisor' | 'command' | 'guardian' | 'spawner' | 'keeper' | 'other';
}

export type Census = ReadonlyMap<number, Seen>;

/** Everyone alive; zombies are not. */
export function takeCensus(): Census {
  const seen = new Map<number, Seen>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const one = look(Number(entry));
    if (one !== null) seen.set(one.pid, one);
  }
  return seen;
}

export function look(pid: number): Seen | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const [state = '', parent, group, session] = fields;
    const startTime = fields[19] ?? '';
    if (state === 'Z' || state === 'X') return null;
    const name = stat.slice(stat.indexOf('(') + 1, end);
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    const found = /(?:^|\0)COPPICE_TREE=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'));
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      startTime,
      state,
      name,
      words,
      marker: found?.[1] ?? null,
      kind: kindOf(pid, name, words),
    };
  } catch {
    // It ended while it was looked at.
    return null;
  }
}

/** A keeper has wiped its words, so it is known by its file and by the name that it gave itself. */
function kindOf(pid: number, name: string, words: readonly string[]): Seen['kind'] {
  if (words.some((word) => /\/supervisor(?:Main)?\.cjs$/.test(word))) return 'supervisor';
  if (words.some((word) => /\/coppice\.cjs$/.test(word))) return 'command';
  const program = basename(readlinkSync(`/proc/${pid}/exe`));
  if (!/^(?:keeper-)?linux-(?:x64|arm64)/.test(program)) return 'other';
  if (name.startsWith('coppice-guard') || words.includes('--guardian')) return 'guardian';
  return name === 'coppice-keeper' ? 'keeper' : 'spawner';
}

/** The chain of ancestors, nearest first. */
export function ancestorsOf(census: Census, one: Seen): Seen[] {
  const chain: Seen[] = [];
  for (let at = census.get(one.parent); at !== undefined && chain.length < 100; at = census.get(at.parent))
    chain.push(at);
  return chain;
}

/** This very process is still there, and no later one under its pid. */
export function lives(one: Pick<Seen, 'pid' | 'startTime'>): boolean {
  return look(one.pid)?.startTime === one.startTime;
}
