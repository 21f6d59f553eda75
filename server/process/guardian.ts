/**
 * The guardian: a tiny process that outlives its supervisor and starts the successor. Here is how one is launched and
 * talked to; `platform/linux/keeperGuardian.h` and `platform/posix/guardian.sh` are the two that there are.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { deferred } from './deferred.ts';
import { identify } from './identity.ts';
import { findKeepers } from './keeper.ts';
import { platform } from './platform/index.ts';
import { encodeMessage, environmentEntries } from './spawnerRequest.ts';
import { isDead, readCommandLine, readProcessTableAsync } from './table.ts';
import type { ExitStatus, ProcessIdentity } from './types.ts';

/** What a guardian does once its supervisor is lost. It knows no rules of its own. */
export interface GuardianPlan {
  /** Waits before each next successor, ms; when they are used up it gives up. */
  readonly delaysMs: readonly number[];
  /** Losses that were counted before. */
  readonly losses: number;
  /** Starts a successor; the number of losses that this guardian saw is added as the last word. */
  readonly argv: readonly [string, ...string[]];
  /** The successor's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the successor prints is appended here. */
  readonly logPath: string;
  /** Replaced when it gives up, by `before`, `"losses":<n>,"at":<ms>,"code":...,"signal":...,"missing":...`, `after`. */
  readonly recordPath: string;
  readonly recordText: { readonly before: string; readonly after: string };
}

export interface GuardianProcess {
  readonly identity: ProcessIdentity;
  /** It has its first plan; `false` when it ended before. */
  readonly planned: Promise<boolean>;
  /** Settles when it ends, for whatever reason. */
  readonly exited: Promise<ExitStatus>;
  /** Puts another plan in force; `false` for one that cannot be sent, which leaves the old one in force. */
  renew(plan: GuardianPlan): boolean;
  /** The supervisor ends in order: nobody is to be started. */
  dismiss(): void;
}

/** The name that the kernel knows it by, of which it keeps 15 bytes. */
export const GUARDIAN_NAME = 'coppice-guard';

/** Descriptor on which a successor tells the guardian that started it that it is in charge. */
const IN_CHARGE_FD = 3;
const MOST_DELAYS = 64;

/** Starts a guardian of a workspace; `null` where none can be had. */
export function launchGuardian(workspaceId: string, plan: GuardianPlan): GuardianProcess | null {
  for (const keeper of findKeepers()) {
    if (keeper.kind !== 'native' || broken.has(keeper.path)) continue;
    const first = encodePlan(plan);
    if (first === null) return null;
    const child = start([keeper.path, '--guardian', workspaceId], keeper.path);
    const identity = child?.pid === undefined ? null : identify(child.pid);
    if (child === null || identity === null) continue;
    return follow(child, identity, first);
  }
  return null;
}

/** The living guardians of a workspace, by whomever they were started. */
export async function findGuardians(workspaceId: string): Promise<ProcessIdentity[]> {
  const { rows, bootId } = await readProcessTableAsync();
  return [...rows.values()]
    .filter((row) => row.name === GUARDIAN_NAME && !isDead(row) && readCommandLine(row.pid).includes(workspaceId))
    .map(({ pid, startTime }) => ({ pid, startTime, bootId }));
}

/** One that was stopped (SIGSTOP) cannot do its work, and nobody would know. */
export function isStopped({ pid }: ProcessIdentity): boolean {
  const seen = platform.observe(pid);
  return seen.kind === 'present' && seen.row.state.toUpperCase().startsWith('T');
}

/** Says to the guardian that started this process that it is in charge; harmless when that is gone. */
export function sayInCharge(): void {
  try {
    const channel = new Socket({ fd: IN_CHARGE_FD, readable: false, writable: true });
    channel.on('error', () => {});
    channel.unref();
    channel.end('in charge\n');
  } catch {
    // It is none: a person gave the option.
  }
}

/** Files that are no guardian here; asked once in the life of the process. */
const broken = new Set<string>();

function start([program, ...words]: readonly [string, ...string[]], path: string): ChildProcess | null {
  try {
    const child = spawn(program, words, {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', () => broken.add(path));
    return child.pid === undefined ? null : child;
  } catch {
    return null;
  }
}

function follow(child: ChildProcess, identity: ProcessIdentity, first: Buffer): GuardianProcess {
  const channel = child.stdio[3] as Socket;
  const planned = deferred<boolean>();
  const exited = deferred<ExitStatus>();
  channel.on('error', () => {});
  channel.on('data', () => planned.resolve(true));
  child.once('exit', (code, signal) => {
    planned.resolve(false);
    exited.resolve({ code, signal });
    channel.destroy();
  });
  child.unref();
  channel.unref();
  channel.write(first);
  return {
    identity,
    planned: planned.promise,
    exited: exited.promise,
    renew: (plan) => {
      const bytes = encodePlan(plan);
      return bytes !== null && channel.writable && (channel.write(bytes), true);
    },
    dismiss: () => {
      child.ref();
      if (channel.writable) channel.write(Buffer.alloc(4));
    },
  };
}

function encodePlan({ delaysMs, losses, argv, env, logPath, recordPath, recordText }: GuardianPlan): Buffer | null {
  const entries = environmentEntries(env);
  const delays = delaysMs.slice(0, MOST_DELAYS);
  return encodeMessage(
    [losses, delays.length, argv.length, entries.length, ...delays],
    [logPath, recordPath, recordText.before, recordText.after, ...argv, ...entries],
  );
}
