/**
 * The guardian: a tiny process that outlives its supervisor and starts the successor. Here is how one is launched and
 * talked to; `platform/linux/keeperGuardian.h` and `platform/posix/guardian.sh` are the two that there are.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { deferred } from './deferred.ts';
import { encodeShellPlan } from './guardianScript.ts';
import { identify } from './identity.ts';
import { findKeepers, type Keeper } from './keeper.ts';
import { errorCode, isResourceError } from './launchFailure.ts';
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

/** By which the kernel knows them, of which it keeps 15 bytes; the others are shells. */
const GUARDIAN_NAMES: ReadonlySet<string> = new Set(['coppice-guard', 'sh', 'dash', 'bash', 'ash', 'busybox', 'ksh']);

/** Descriptor on which a successor tells the guardian that started it that it is in charge. */
const IN_CHARGE_FD = 3;
const MOST_DELAYS = 64;
/** The native one takes fewer arguments, and fewer entries of an environment, than this. */
const MOST_LISTED = 16_384;
/** A shell finds its commands by it; what the successor gets is in the plan alone. */
const SHELL_ENVIRONMENT = { PATH: '/usr/bin:/bin' } as const;

/** What kinds of guardian there are; they are spoken to differently. */
export interface GuardianWay {
  readonly kind: 'native' | 'shell';
  readonly command: readonly [string, ...string[]];
}

/** Starts a guardian of a workspace; `null` where none can be had. */
export function launchGuardian(
  workspaceId: string,
  plan: GuardianPlan,
  ways: readonly GuardianWay[] = guardianWays(),
): GuardianProcess | null {
  for (const way of ways) {
    const [program] = way.command;
    const first = broken.has(program) ? null : encodePlan(way.kind, plan);
    if (first === null) continue;
    const child = start([...way.command, workspaceId], way.kind);
    const identity = child?.pid === undefined ? null : identify(child.pid);
    if (child !== null && identity !== null) return follow(child, identity, way.kind, first);
  }
  return null;
}

/** Best first. */
export function guardianWays(keepers: readonly Keeper[] = findKeepers()): GuardianWay[] {
  return keepers.flatMap((keeper): GuardianWay[] => {
    switch (keeper.kind) {
      case 'native':
        return [{ kind: 'native', command: [keeper.path, '--guardian'] }];
      case 'shell':
        return [{ kind: 'shell', command: ['/bin/sh', join(dirname(keeper.path), 'guardian.sh')] }];
      case 'none':
        return [];
      default:
        return keeper satisfies never;
    }
  });
}

/** The living guardians of a workspace, by whomever they were started. */
export async function findGuardians(workspaceId: string): Promise<ProcessIdentity[]> {
  const { rows, bootId } = await readProcessTableAsync();
  return [...rows.values()]
    .filter((row) => GUARDIAN_NAMES.has(row.name) && !isDead(row) && isGuardian(readCommandLine(row.pid), workspaceId))
    .map(({ pid, startTime }) => ({ pid, startTime, bootId }));
}

/** One that was stopped (SIGSTOP) cannot do its work, and nobody would know. */
export function isStopped({ pid }: ProcessIdentity): boolean {
  const seen = platform.observe(pid);
  return seen.kind === 'present' && seen.row.state.toUpperCase().startsWith('T');
}

/**
 * Says to the guardian that started this process that it is in charge; harmless when that is gone. `guard on`: without a
 * guardian of its own yet.
 */
export function tellOwnGuardian(word: 'guard on' | 'in charge'): void {
  try {
    channel ??= new Socket({ fd: IN_CHARGE_FD, readable: false, writable: true }).on('error', () => {});
    channel.unref();
    if (word === 'guard on') channel.write('+\n');
    else channel.end('in charge\n');
  } catch {
    // It is none: a person gave the option.
  }
}

let channel: Socket | null = null;

/** Files that are no guardian here; asked once in the life of the process. */
const broken = new Set<string>();

function isGuardian(commandLine: readonly string[], workspaceId: string): boolean {
  const [option, id] = commandLine.slice(-2);
  return id === workspaceId && (option === '--guardian' || option?.endsWith('/guardian.sh') === true);
}

function start([program, ...words]: readonly [string, ...string[]], kind: GuardianWay['kind']): ChildProcess | null {
  try {
    const child = spawn(program, words, {
      cwd: '/',
      env: { ...SHELL_ENVIRONMENT },
      // The native one stays in this session, in a group of its own, for what the kernel does when we end.
      detached: kind === 'shell',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', (error) => {
      // A shortage passes.
      if (!isResourceError(errorCode(error))) broken.add(program);
    });
    // 64: it does not know the option, as an older keeper does not.
    child.once('exit', (code) => code === 64 && broken.add(program));
    return child.pid === undefined ? null : child;
  } catch {
    return null;
  }
}

function follow(
  child: ChildProcess,
  identity: ProcessIdentity,
  kind: GuardianWay['kind'],
  first: Buffer,
): GuardianProcess {
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
      const bytes = encodePlan(kind, plan);
      return bytes !== null && channel.writable && (channel.write(bytes), true);
    },
    dismiss: () => {
      child.ref();
      if (channel.writable) channel.write(DISMISSAL[kind]);
    },
  };
}

/** `null` for a plan that cannot be said so: it is too long, or has a NUL in it. */
export function encodePlan(kind: GuardianWay['kind'], plan: GuardianPlan): Buffer | null {
  switch (kind) {
    case 'native': {
      const { losses, argv, logPath, recordPath, recordText } = plan;
      const entries = environmentEntries(plan.env);
      if (argv.length >= MOST_LISTED || entries.length >= MOST_LISTED) return null;
      const delays = plan.delaysMs.slice(0, MOST_DELAYS);
      return encodeMessage(
        [losses, delays.length, argv.length, entries.length, ...delays],
        [logPath, recordPath, recordText.before, recordText.after, ...argv, ...entries],
      );
    }
    case 'shell':
      return encodeShellPlan(plan);
    default:
      return kind satisfies never;
  }
}

const DISMISSAL = { native: Buffer.alloc(4), shell: Buffer.from('dismissed\n') } as const;
