import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { identify } from '../../server/process/identity.ts';
import type { TreeIdentity } from '../../server/process/types.ts';

const started: ChildProcess[] = [];

/** Starts a program as leader of a session of its own, without a keeper, and waits for its first line of output. */
export async function bareTree(
  argv: readonly [string, ...string[]],
  environment: Record<string, string> = {},
): Promise<{ tree: TreeIdentity; child: ChildProcess; lines: string[] }> {
  const marker = `test/bare/1/${randomUUID()}`;
  const child = spawn(argv[0], argv.slice(1), {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment, COPPICE_TREE: marker },
  });
  started.push(child);
  const lines: string[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  if (child.stdout !== null) await once(child.stdout, 'data');
  const leader = identify(child.pid ?? 0);
  if (leader === null) throw new Error(`${argv.join(' ')} ended before it could be looked at`);
  return { tree: { leader, keeper: null, group: leader.pid, session: leader.pid, marker }, child, lines };
}

/** For an `after` hook: kills, by handle and group, what a failed test left, and lets go of its output. */
export function endBareTrees(): void {
  for (const child of started.splice(0)) {
    child.stdout?.destroy();
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
    try {
      // Not yet waited for, so the number of its group is still its own.
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  }
}
