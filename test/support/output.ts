/** Outputs for tests: files that children append to with descriptors of their own, and followers of them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { followOutput, rotateOutput } from '../../server/process/output/index.ts';
import { temporaryFolder } from './temporary.ts';

const children: ChildProcess[] = [];
const followers: Follower[] = [];

export function programPath(name: string): string {
  return join(import.meta.dirname, 'programs', name);
}

/** `child` ends with the test. */
export function endWithTest<T extends ChildProcess>(child: T): T {
  children.push(child);
  return child;
}

/** A child that appends to `path` with a descriptor of its own, as a managed one does. */
export function writeOutput(path: string, program: string, ...words: readonly string[]): ChildProcess {
  const descriptor = openSync(path, 'a', 0o600);
  const stdio = ['ignore', descriptor, 'inherit'] as const;
  const child = spawn(process.execPath, [programPath(program), ...words], { stdio: [...stdio] });
  closeSync(descriptor);
  return endWithTest(child);
}

export interface Follower {
  readonly text: () => string;
  readonly gaps: [number, number][];
  /** Lets it read what is there, and ends it. Resolves with its last position. */
  readonly finish: () => Promise<number>;
}

export function follow(path: string, offset = 0): Follower {
  const blocks: Buffer[] = [];
  const ended = new AbortController();
  const gaps: [number, number][] = [];
  const done = followOutput(path, {
    offset,
    signal: new AbortController().signal,
    ended: ended.signal,
    onChunk: (bytes) => void blocks.push(bytes),
    onGap: (from, to) => void gaps.push([from, to]),
  });
  const finish = (): Promise<number> => {
    ended.abort();
    return done;
  };
  const follower = { text: () => Buffer.concat(blocks).toString(), gaps, finish };
  followers.push(follower);
  return follower;
}

/** A path for an output in a folder of its own, holding `text` if given. */
export function newOutput(text?: string): string {
  const path = join(temporaryFolder('output'), 'web.log');
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

export async function rotated(path: string, keep = 2, method: 'best' | 'truncate' = 'truncate'): Promise<void> {
  const result = await rotateOutput(path, { maxBytes: 1, keep, method });
  assert.deepEqual([result.ok, result.ok && result.rotated], [true, true]);
}

/** In `afterEach`: ends followers and children. */
export async function endOutputs(): Promise<void> {
  for (const follower of followers.splice(0)) await follower.finish();
  for (const child of children.splice(0)) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
