import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../../process/identity.ts';
import { readProcessTableAsync } from '../../process/table.ts';
import { terminateTree } from '../../process/termination.ts';
import type { ProcessIdentity, TreeIdentity } from '../../process/types.ts';
import { formatDuration } from '../../text/units.ts';
import type { DoctorFacts, MarkedProcess } from '../facts.ts';
import { nameInMarker, orphansOf } from '../strays.ts';
import type { FixOutcome } from './types.ts';

/** So long after the last sign of a supervisor nobody is about to take over any more. */
export const ORPHAN_GRACE_MS = 5 * 60_000;
const STOP = { stopSignal: 'SIGTERM', stopTimeoutMs: 5_000 } as const;

/**
 * Ends what carries this workspace's marker and is on nobody's record. Only where all of this is certain: there is no
 * supervisor (the caller holds the claim), the last one was there more than a grace ago, and no successor could adopt it.
 */
export async function endOrphans(facts: DoctorFacts): Promise<FixOutcome[]> {
  const trees = new Map<string, MarkedProcess[]>();
  for (const one of orphansOf(facts)) trees.set(one.marker, [...(trees.get(one.marker) ?? []), one]);
  const outcomes: FixOutcome[] = [];
  for (const [marker, processes] of trees) {
    const why = reasonToLeave(facts, marker, processes);
    if (why === null) outcomes.push(await end(marker, processes));
    else
      outcomes.push({ check: 'orphans', done: false, message: `${wordsFor(marker, processes)} is left alone: ${why}` });
  }
  return outcomes;
}

/** Pure but for what is written down of tasks and commands. */
function reasonToLeave(facts: DoctorFacts, marker: string, processes: readonly MarkedProcess[]): string | null {
  const lastSign = lastSignOf(facts);
  if (lastSign === null) return 'when its supervisor was last there cannot be told';
  const age = facts.now - lastSign;
  if (age < ORPHAN_GRACE_MS) {
    return `its supervisor was there ${formatDuration(Math.max(0, age))} ago, and after ${formatDuration(ORPHAN_GRACE_MS)} it is ended; \`coppice up\` adopts or ends it now`;
  }
  const started = facts.symptoms.events.some((event) =>
    processes.some((one) => event.pid === one.pid && event.startTime === one.startTime),
  );
  if (started || (facts.stateDir !== null && isWrittenDown(facts.stateDir, marker))) {
    return '`coppice up` can adopt it: its start is written down';
  }
  return null;
}

/** The newest of all that only a living supervisor does. */
export function lastSignOf({ heartbeat, symptoms }: DoctorFacts): number | null {
  const signs = [
    ...(heartbeat.kind === 'heartbeat' ? [heartbeat.heartbeat.at] : []),
    ...symptoms.events.slice(-1).map((event) => event.at),
  ];
  return signs.length === 0 ? null : Math.max(...signs);
}

/** Starts of tasks and commands are written down before they are made, with their marker. */
function isWrittenDown(folder: string, marker: string, depth = 0): boolean {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return false;
  }
  return names.some((name) => {
    const path = join(folder, name);
    try {
      const stat = statSync(path);
      if (stat.isDirectory()) return depth < 2 && name !== 'cache' && isWrittenDown(path, marker, depth + 1);
      // The journal tells of ends as well; it was looked at with open eyes above.
      const small = stat.isFile() && stat.size < 4 * 1024 ** 2 && name.endsWith('.json');
      return small && readFileSync(path, 'utf8').includes(marker);
    } catch {
      // What cannot be read may hold it.
      return true;
    }
  });
}

async function end(marker: string, processes: readonly MarkedProcess[]): Promise<FixOutcome> {
  const words = wordsFor(marker, processes);
  const tree = await treeOf(marker, processes);
  if (tree === null) return { check: 'orphans', done: true, message: `${words} has ended by itself` };
  const { confirmed, survivors } = await terminateTree(tree, STOP);
  if (survivors.length > 0) {
    const left = survivors.map((one) => `pid ${one.identity.pid} (${one.reason})`).join(', ');
    return { check: 'orphans', done: false, message: `${words}: ${left} could not be ended` };
  }
  return { check: 'orphans', done: true, message: `${words} ended: ${confirmed.length} confirmed gone` };
}

/** As a successor would see it: the leader leads its session and is the oldest that does. */
async function treeOf(marker: string, processes: readonly MarkedProcess[]): Promise<TreeIdentity | null> {
  const table = await readProcessTableAsync();
  const identity = ({ pid, startTime }: { pid: number; startTime: string }): ProcessIdentity => ({
    pid,
    startTime,
    bootId: bootId(),
  });
  const living = processes.filter((one) => table.rowOf(identity(one)) !== null);
  const oldest = [...living].sort((a, b) => table.compareStartTimes(a.startTime, b.startTime) || a.pid - b.pid);
  const leader = oldest.find((one) => one.session === one.pid && one.group === one.pid) ?? oldest[0];
  if (leader === undefined) return null;
  const parent = table.rows.get(leader.parent);
  const keeper = parent?.name === 'coppice-keeper' ? identity(parent) : null;
  return { leader: identity(leader), keeper, group: leader.group, session: leader.session, marker };
}

function wordsFor(marker: string, processes: readonly MarkedProcess[]): string {
  const pids = processes.map((one) => one.pid).join(', ');
  return `${nameInMarker(marker)} (pid ${pids})`;
}
