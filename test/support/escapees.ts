/** Trees that try to slip away, and a witness of its own that looks for them without the code under test. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LaunchOptions, launch } from '../../server/process/launch.ts';
import { reapTree } from '../../server/process/termination.ts';
import type { TreeIdentity } from '../../server/process/types.ts';
import { removeTemporaryFolders, temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

/** A process as the witness saw it: a pid with the start time of the one who had it. */
export interface Sighting {
  readonly pid: number;
  readonly start: string;
}

export interface RunningTree {
  readonly identity: TreeIdentity;
  /** Everyone in the tree that the witness saw, the keeper included. */
  readonly seen: readonly Sighting[];
  readonly exited: Promise<unknown>;
}

const started: TreeIdentity[] = [];

/** For an `afterEach` hook: ends what a failed test left. */
export async function endEscapees(): Promise<void> {
  await Promise.all(started.splice(0).map((identity) => reapTree(identity)));
  removeTemporaryFolders();
}

/** Starts a program under its keeper and waits until it has printed the pids of `expected` processes, one a line. */
export async function startEscapee(
  argv: readonly [string, ...string[]],
  expected: number,
  options: LaunchOptions = {},
): Promise<RunningTree> {
  const folder = temporaryFolder('escapee');
  const marker = `test-workspace/escapee/1/${randomUUID()}`;
  const outputPath = join(folder, 'out.log');
  const result = await launch(
    {
      argv,
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? '/usr/bin:/bin',
        HOME: folder,
        COPPICE_TREE: marker,
        PIDS: outputPath,
      },
      stdin: 'ignore',
      outputPath,
      exitRecordPath: join(folder, 'exit.json'),
      marker,
    },
    options,
  );
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  const { identity, exited } = result.tree;
  started.push(identity);
  const printed = await until(
    `${expected} pids of ${argv.join(' ')}`,
    () => {
      const pids = existsSync(outputPath) ? readFileSync(outputPath, 'utf8').match(/^\d+$/gm) : null;
      return (pids?.length ?? 0) >= expected && (pids ?? []).map(Number);
    },
    { intervalMs: 1, timeoutMs: 20_000 },
  );
  const pids = [...printed, identity.leader.pid, ...(identity.keeper === null ? [] : [identity.keeper.pid])];
  const seen = [...pids, ...carriers(marker)].flatMap((pid) => sight(pid) ?? []);
  return { identity, exited, seen };
}

/** Pids of all processes whose environment holds the marker. */
export function carriers(marker: string): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      return readFileSync(`/proc/${entry}/environ`, 'latin1').includes(marker) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** The living process that has this pid now; a zombie is none. */
export function sight(pid: number): Sighting | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : { pid, start: fields[19] ?? '' };
  } catch {
    return null;
  }
}

/** Whom of these the witness still sees, by pid and start time, and who else carries the marker. */
export function leftOf(tree: RunningTree): string[] {
  const alive = tree.seen.filter(({ pid, start }) => sight(pid)?.start === start).map(({ pid }) => `${pid} lives`);
  return [...alive, ...carriers(tree.identity.marker).map((pid) => `${pid} carries the marker`)];
}
