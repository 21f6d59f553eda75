/** Starts managed trees for tests, each with files of its own, and ends exactly those afterwards. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveness } from '../../server/process/identity.ts';
import { type LaunchOptions, launch } from '../../server/process/launch.ts';
import { reapTree } from '../../server/process/termination.ts';
import type { LaunchedTree, LaunchRequest, ProcessIdentity, TreeIdentity } from '../../server/process/types.ts';
import { temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

export const TEST_MARKER = 'test-workspace/web/1/0123456789ab';

const started: TreeIdentity[] = [];

/** A request with files in a folder of its own and a small environment; `changes` go over it. */
export function requestFor(argv: readonly [string, ...string[]], changes: Partial<LaunchRequest> = {}): LaunchRequest {
  const folder = temporaryFolder('tree');
  return {
    argv,
    cwd: folder,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', COPPICE_TREE: TEST_MARKER },
    stdin: 'ignore',
    outputPath: join(folder, 'out.log'),
    exitRecordPath: join(folder, 'exit.json'),
    marker: TEST_MARKER,
    ...changes,
  };
}

export async function launched(request: LaunchRequest, options: LaunchOptions = {}): Promise<LaunchedTree> {
  const result = await launch(request, options);
  if (!result.ok) throw new Error(`not launched: ${JSON.stringify(result.failure)}`);
  remember(result.tree.identity);
  return result.tree;
}

/** For trees that a program under test started: they are ended with the others. */
export function remember(identity: TreeIdentity): void {
  started.push(identity);
}

export async function endStartedTrees(): Promise<void> {
  for (const identity of started.splice(0)) await reapTree(identity);
}

/** What the tree printed so far, waiting until it holds `text`. */
export function printed(request: LaunchRequest, text: string): Promise<string> {
  return until(`output with ${JSON.stringify(text)}`, () => {
    const output = readFileSync(request.outputPath, 'utf8');
    return output.includes(text) && output;
  });
}

export function untilGone(identity: ProcessIdentity): Promise<true> {
  return until(`end of ${identity.pid}`, () => liveness(identity) !== 'alive');
}

/** One field of /proc/<pid>/status, such as `SigBlk`. */
export function statusField(pid: number, field: string): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim() ?? '';
}
