/** Starts a tree by this process's own fork: the way that works everywhere, and takes its time. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import { type Keeper, keeperCommand } from './keeper.ts';
import {
  describeDeadKeeper,
  describeKeeperError,
  identityOfLeader,
  listenToKeeper,
  recordBySupervisor,
  statusAfterKeeper,
  treeUnderKeeper,
} from './keeperChannel.ts';
import { checkProgram, checkWorkingDirectory, describeExecError, errorCode } from './launchFailure.ts';
import type { ExitStatus, LaunchFailure, LaunchRequest, TreeIdentity } from './types.ts';

export type Attempt =
  | {
      readonly kind: 'started';
      readonly identity: TreeIdentity;
      readonly exited: Promise<ExitStatus>;
      readonly emptied: Promise<boolean>;
    }
  | { readonly kind: 'failed'; readonly failure: LaunchFailure }
  /** The keeper itself could not run; nothing of the request was started. */
  | { readonly kind: 'unusable'; readonly failure: LaunchFailure };

/** Without a spawner nobody tells of a keeper's end. */
const UNSAID = Promise.resolve(false);

export async function startUnderKeeper(keeper: Keeper, request: LaunchRequest, output: number): Promise<Attempt> {
  if (keeper.kind === 'shell') {
    // A shell says 126 or 127 where execve gives a reason, and a program may exit with these as well.
    const failure = checkProgram(request.argv[0]);
    if (failure !== null) return { kind: 'failed', failure };
  }
  const [file, ...words] = keeperCommand(keeper, request);
  const input = keeper.kind === 'none' && request.stdin === 'hold' ? 'pipe' : 'ignore';
  const spawned = await spawnNow(() =>
    spawn(file, words, {
      cwd: request.cwd,
      env: withWorkingDirectory(request.env, request.cwd),
      stdio: keeper.kind === 'none' ? [input, output, output] : [input, output, output, 'pipe'],
      detached: true,
      windowsHide: true,
      // The command line of `cmd.exe /c` is quoted by its own rules already.
      windowsVerbatimArguments: basename(file).toLowerCase() === 'cmd.exe',
    }),
  );
  if (!spawned.ok) {
    const { code } = spawned;
    const badFolder = checkWorkingDirectory(request.cwd);
    if (badFolder !== null) return { kind: 'failed', failure: badFolder };
    const unusable = keeper.kind !== 'none' && UNUSABLE_KEEPER_CODES.has(code);
    return {
      kind: unusable ? 'unusable' : 'failed',
      failure: describeExecError(unusable ? file : request.argv[0], code),
    };
  }
  const { child, pid } = spawned;
  const ended = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (keeper.kind === 'none') {
    child.stdin?.on('error', ignore);
    (child.stdin as Socket | null)?.unref();
    child.unref();
    const identity = await identityOfLeader(pid, request.marker);
    const exited = ended.then((status) => recordBySupervisor(request, identity.leader.pid, status));
    return { kind: 'started', identity, exited, emptied: UNSAID };
  }
  const channel = child.stdio[3] as Socket;
  const conversation = listenToKeeper(channel);
  const report = await conversation.first;
  if (report?.kind !== 'started') {
    channel.destroy();
    if (report?.kind === 'error') return { kind: 'failed', failure: describeKeeperError(report, request) };
    const { unusable, failure } = describeDeadKeeper(file, request.argv[0], await ended);
    return { kind: unusable ? 'unusable' : 'failed', failure };
  }
  channel.unref();
  child.unref();
  const identity =
    keeper.kind === 'native'
      ? treeUnderKeeper(pid, report, request.marker)
      : await identityOfLeader(pid, request.marker);
  const exited = conversation.exited.then((status) => status ?? statusAfterKeeper(request, identity.leader));
  return { kind: 'started', identity, exited, emptied: UNSAID };
}

/** Errors of starting the keeper's own file: missing, without execute bit, on a noexec mount, for another processor. */
const UNUSABLE_KEEPER_CODES: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENOEXEC']);

/** `PWD` says where the parent was, and there are tools that believe it. */
export function withWorkingDirectory(
  env: Readonly<Record<string, string>>,
  cwd: string,
): Readonly<Record<string, string>> {
  return env.PWD === undefined ? env : { ...env, PWD: cwd };
}

/** A stream that is only held open has nobody to tell of its errors. */
function ignore(): void {}

type Spawned =
  | { readonly ok: true; readonly child: ChildProcess; readonly pid: number }
  | { readonly ok: false; readonly code: string };

/** Node throws for some errors (no descriptor left, a NUL in the environment) and sends an event for others. */
async function spawnNow(start: () => ChildProcess): Promise<Spawned> {
  try {
    const child = start();
    if (child.pid !== undefined) return { ok: true, child, pid: child.pid };
    return await new Promise((resolve) => {
      child.once('error', (error) => resolve({ ok: false, code: errorCode(error) }));
    });
  } catch (error) {
    return { ok: false, code: errorCode(error) };
  }
}
