/**
 * The only place that starts processes: managed trees under a keeper, the supervisor itself, and short helper commands.
 *
 * Execa's own promise waits for the streams as well as for the process, and a background child may hold those for ever;
 * so the events of the child itself are what counts here, and the promise is asked only when nothing was started.
 */
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { deferred } from './deferred.ts';
import { cleanEnvironment } from './environment.ts';
import { clearExitRecord } from './exitRecord.ts';
import { findKeepers, type Keeper } from './keeper.ts';
import { describeDeadKeeper, describeKeeperError } from './keeperChannel.ts';
import { type Attempt, startUnderKeeper, withWorkingDirectory } from './launchDirect.ts';
import { checkWords, checkWorkingDirectory, describeExecError, errorCode, openOutput } from './launchFailure.ts';
import type { HelperOptions, HelperResult } from './launchTypes.ts';
import { outputEnd } from './output/readOutput.ts';
import { launchThroughSpawner, warmUpSpawner } from './spawner.ts';
import type { ExitStatus, LaunchFailure, LaunchRequest, LaunchResult } from './types.ts';

export type { HelperOptions, HelperResult } from './launchTypes.ts';

export interface LaunchOptions {
  /** To try in this order; by default those that are known to work here. */
  readonly keepers?: readonly Keeper[];
}

/** Starts a process tree. Settles once its program runs or is known not to; an expected failure is a value. */
export async function launch(request: LaunchRequest, options: LaunchOptions = {}): Promise<LaunchResult> {
  const badFolder = checkWorkingDirectory(request.cwd);
  if (badFolder !== null) return { ok: false, failure: badFolder };
  const badWord = checkWords(request.argv);
  if (badWord !== null) return { ok: false, failure: badWord };
  const output = openOutput(request.outputPath, request.argv[0]);
  if (!output.ok) return output;
  try {
    // A position in all that was ever written, not an offset in the file: rotation moves what is older away.
    const outputOffset = await outputEnd(request.outputPath);
    clearExitRecord(request.exitRecordPath);
    let failure: LaunchFailure | null = null;
    for (const way of options.keepers ?? waysHere()) {
      const attempt =
        way.kind === 'spawner'
          ? await startBySpawner(way.path, request)
          : await startUnderKeeper(way, request, output.fd);
      if (attempt.kind === 'started') {
        const { identity, exited, emptied } = attempt;
        return { ok: true, tree: { identity, exited, emptied, outputOffset } };
      }
      failure = attempt.failure;
      if (attempt.kind === 'failed') break;
      if (options.keepers === undefined && way.kind !== 'spawner') brokenKeepers.add(way.kind);
    }
    if (failure === null) throw new Error('there is always a keeper to try');
    return { ok: false, failure };
  } finally {
    closeSync(output.fd);
  }
}

/** Makes the first launch as quick as the others, where that takes a preparation. */
export function warmUpLaunches(): void {
  const [way] = waysHere();
  if (way?.kind === 'spawner') warmUpSpawner(way.path);
}

export interface PipedRequest {
  /** Program as an absolute path, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface PipedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when it ends. Never rejects. */
  readonly exited: Promise<ExitStatus>;
}

export type PipedResult =
  | { readonly ok: true; readonly process: PipedProcess }
  | { readonly ok: false; readonly failure: LaunchFailure };

/**
 * Starts a program on pipes, for a protocol that is spoken over stdin and stdout; its stderr is this process's own.
 * It stays in this process's group and session, so that both are one tree, and it sees the end of its input when this
 * process ends, however that happens.
 */
export async function launchPiped(request: PipedRequest): Promise<PipedResult> {
  const [program, ...words] = request.argv;
  const { execa } = await import('execa');
  const subprocess = execa(program, words, {
    ...COMMON_OPTIONS,
    detached: false,
    cwd: request.cwd,
    env: request.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const child = subprocess.nodeChildProcess;
  if (child.pid === undefined || child.stdin === null || child.stdout === null) {
    return { ok: false, failure: describeExecError(program, errorCode((await subprocess).cause)) };
  }
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return { ok: true, process: { pid: child.pid, stdin: child.stdin, stdout: child.stdout, exited } };
}

/** Runs a short command to its end in a group of its own, with no input. Never rejects. */
export async function runHelper(argv: readonly [string, ...string[]], options: HelperOptions): Promise<HelperResult> {
  const { timeoutMs, maxBytes = 1024 * 1024, cwd = '/', signal } = options;
  if (checkWords(argv) !== null) return { ok: false, reason: 'spawn_error', detail: 'EINVAL', stdout: '', stderr: '' };
  // Loaded at the first helper: most supervisors never need one, and would carry 5 MB of it from their start on.
  const { execa } = await import('execa');
  if (signal?.aborted) return { ok: false, reason: 'aborted', detail: 'before its start', stdout: '', stderr: '' };
  const [program, ...words] = argv;
  const subprocess = execa(program, words, {
    ...COMMON_OPTIONS,
    killDescendants: true,
    cwd,
    env: options.env ?? cleanEnvironment(process.env).env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const child = subprocess.nodeChildProcess;
  if (child.pid === undefined) {
    const detail = errorCode((await subprocess).cause);
    return { ok: false, reason: 'spawn_error', detail, stdout: '', stderr: '' };
  }
  const { promise, resolve } = deferred<HelperResult>();
  const stdout = collect(child.stdout as Socket, maxBytes, () => end('too_much_output', `over ${maxBytes} bytes`));
  const stderr = collect(child.stderr as Socket, maxBytes, () => end('too_much_output', `over ${maxBytes} bytes`));
  const texts = (): { stdout: string; stderr: string } => ({ stdout: stdout(), stderr: stderr() });
  const end = (reason: 'timeout' | 'too_much_output' | 'aborted', detail: string): void => {
    // Once it was reaped its number may be another group's.
    if (child.exitCode === null && child.signalCode === null) subprocess.kill('SIGKILL');
    resolve({ ok: false, reason, detail, ...texts() });
  };
  const timer = setTimeout(() => end('timeout', `not done within ${timeoutMs} ms`), timeoutMs);
  const abort = (): void => end('aborted', 'no longer wanted');
  signal?.addEventListener('abort', abort, { once: true });
  child.once('exit', (code, killedBy) => {
    clearTimeout(timer);
    const finish = (): void => resolve({ ok: true, code, signal: killedBy, ...texts() });
    // All that it wrote is there at 'close'; a background child that holds the pipes must not hold the answer.
    child.once('close', finish);
    setTimeout(finish, DRAIN_MS).unref();
  });
  const result = await promise;
  clearTimeout(timer);
  signal?.removeEventListener('abort', abort);
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  return result;
}

const DRAIN_MS = 200;

/** `cleanup: false`: children outlive this process. `extendEnv: false`: no variable reaches a child by accident. */
const COMMON_OPTIONS = {
  buffer: false,
  reject: false,
  cleanup: false,
  extendEnv: false,
  detached: true,
  windowsHide: true,
} as const;

/** Those that this system refused to run; asked once in the life of the process. */
const brokenKeepers = new Set<Keeper['kind']>();
let knownKeepers: readonly Keeper[] | null = null;

/** How a tree can be started: a keeper started from here, or a native one by the spawner, which is far quicker. */
type Way = Keeper | { readonly kind: 'spawner'; readonly path: string };

function waysHere(): readonly Way[] {
  knownKeepers ??= findKeepers();
  const ways: Way[] = knownKeepers.filter((keeper) => keeper.kind === 'none' || !brokenKeepers.has(keeper.kind));
  const [best] = ways;
  if (best?.kind === 'native') ways.unshift({ kind: 'spawner', path: best.path });
  return ways;
}

async function startBySpawner(path: string, request: LaunchRequest): Promise<Attempt> {
  const answer = await launchThroughSpawner(path, { ...request, env: withWorkingDirectory(request.env, request.cwd) });
  const [program] = request.argv;
  switch (answer.kind) {
    case 'started':
      return answer;
    case 'error':
      return { kind: 'failed', failure: describeKeeperError(answer.report, request) };
    case 'dead': {
      const { unusable, failure } = describeDeadKeeper(path, program, answer.status);
      return { kind: unusable ? 'unusable' : 'failed', failure };
    }
    case 'unavailable':
      return { kind: 'unusable', failure: describeExecError(program, 'UNKNOWN') };
    default:
      return answer satisfies never;
  }
}

/** A stream that is only held open or only read to its end has nobody to tell of its errors. */
function ignore(): void {}

/** Gathers what a helper prints; gives it back as text. */
function collect(stream: Socket, maxBytes: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('error', ignore).on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else tooMuch();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
