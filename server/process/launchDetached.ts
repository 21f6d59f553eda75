/**
 * Starts the supervisor. In a file of its own, and on Node's own spawn: the command that starts one is waited for by a
 * person, and loading the launcher of managed trees would cost it more than the start itself (measured: 60 ms).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { checkWords, checkWorkingDirectory, describeExecError, errorCode } from './launchFailure.ts';
import type { DetachedRequest, DetachedResult } from './launchTypes.ts';
import type { ExitStatus } from './types.ts';

export type { DetachedProcess, DetachedRequest, DetachedResult } from './launchTypes.ts';

/**
 * Starts a program that outlives this one, in a session of its own and without a keeper: the supervisor. It must take
 * an error of its stderr calmly (`process.stderr.on('error', ...)`), since whoever started it may go at any time.
 */
export async function launchDetached(request: DetachedRequest): Promise<DetachedResult> {
  const badFolder = checkWorkingDirectory(request.cwd);
  if (badFolder !== null) return { ok: false, failure: badFolder };
  const badWord = checkWords(request.argv);
  if (badWord !== null) return { ok: false, failure: badWord };
  const [program] = request.argv;
  const started = await start(request);
  if (!started.ok) return { ok: false, failure: describeExecError(program, started.code) };
  const { child, raw, pid } = started;
  const stderr = new PassThrough();
  raw.on('data', (chunk: Buffer) => {
    if (stderr.writableLength < UNREAD_LIMIT) stderr.write(chunk);
  });
  for (const event of ['end', 'error', 'close']) raw.on(event, () => stderr.end());
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const release = (): void => {
    raw.destroy();
    child.unref();
  };
  return { ok: true, process: { pid, stderr, exited, release } };
}

const UNREAD_LIMIT = 1024 * 1024;

type Started =
  | { readonly ok: true; readonly child: ChildProcess; readonly raw: Readable; readonly pid: number }
  | { readonly ok: false; readonly code: string };

/** Some errors of a start are thrown, others come as an event. */
async function start({ argv, execArgv, cwd, env }: DetachedRequest): Promise<Started> {
  const [program, ...words] = argv;
  try {
    const child = spawn(program, [...(execArgv ?? []), ...words], {
      cwd,
      env,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const failed = new Promise<unknown>((resolve) => child.once('error', resolve));
    if (child.pid === undefined || child.stderr === null) return { ok: false, code: errorCode(await failed) };
    return { ok: true, child, raw: child.stderr, pid: child.pid };
  } catch (error) {
    return { ok: false, code: errorCode(error) };
  }
}
