import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { errorCode, isMissing } from './ioFailure.ts';
import { randomHex } from './names.ts';
import { type FolderProblem, folderProblem } from './trust.ts';
import { PROBLEMS, type StoreFinding } from './workspace.ts';

export interface Endpoint {
  /** Path of the socket, or name of the pipe. No two supervisors are ever given the same. */
  readonly path: string;
  readonly findings: readonly StoreFinding[];
}

export interface EndpointFailure {
  readonly reason: 'endpoint_refused';
  /** The folder that would have held the socket. */
  readonly folder: string;
  readonly problem: FolderProblem | 'not_absolute' | 'too_long';
  readonly detail: string;
}

export type EndpointResult =
  | { readonly ok: true; readonly endpoint: Endpoint }
  | { readonly ok: false; readonly failure: EndpointFailure };

export interface EndpointOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

/**
 * Chooses where a supervisor of this workspace will listen; creates nothing, the winner of the claim does. The name is
 * new each time: a supervisor that lost its lock removes its own socket at its end and must not take its successor's.
 */
export function planEndpoint(id: string, options: EndpointOptions = {}): EndpointResult {
  const { environment = process.env, platform = process.platform } = options;
  const name = `${id}-${randomHex(8)}`;
  if (platform === 'win32') {
    const user = userInfo().username.replace(/[^A-Za-z0-9_.-]/g, '_');
    return { ok: true, endpoint: { path: `\\\\.\\pipe\\coppice-${user}-${name}`, findings: [] } };
  }
  const findings: StoreFinding[] = [];
  const fits = (folder: string): boolean => Buffer.byteLength(join(folder, `${name}.sock`)) <= longestPath(platform);
  const runtime = environment.XDG_RUNTIME_DIR;
  if (runtime !== undefined && runtime !== '') {
    const folder = join(runtime, 'coppice');
    const problem = runtimeProblem(runtime, folder) ?? (fits(folder) ? null : 'too_long');
    if (problem === null) return { ok: true, endpoint: { path: join(folder, `${name}.sock`), findings } };
    findings.push({ kind: 'runtime_dir_ignored', path: runtime, reason: problem });
  }
  const user = process.getuid?.() ?? 0;
  const temporary = [environment.TMPDIR ?? '', tmpdir(), '/tmp'].filter((one) => isAbsolute(one));
  const folder = temporary.map((one) => join(one, `coppice-${user}`)).find(fits);
  if (folder === undefined) {
    return refused(join(temporary[0] ?? '/tmp', `coppice-${user}`), 'too_long');
  }
  const problem = folderProblem(folder);
  if (problem !== null && problem !== 'missing') return refused(folder, problem);
  return { ok: true, endpoint: { path: join(folder, `${name}.sock`), findings } };
}

/**
 * Creates the folder for a planned endpoint and looks at it again: in `/tmp` anyone may have been there first. Removes
 * the sockets that earlier supervisors of this workspace left; only the holder of the claim may call it.
 */
export function prepareEndpoint(path: string, id: string): EndpointFailure | null {
  if (isPipe(path)) return null;
  const folder = dirname(path);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return refused(folder, isMissing(error) ? 'missing' : 'unreadable').failure;
  }
  const problem = folderProblem(folder);
  if (problem !== null) return refused(folder, problem).failure;
  for (const name of readdirSync(folder)) {
    if (name === basename(path) || !name.startsWith(`${id}-`) || !name.endsWith('.sock')) continue;
    try {
      unlinkSync(join(folder, name));
    } catch {
      // A socket that nobody listens at harms nobody.
    }
  }
  return null;
}

/**
 * Why a client must not connect to an endpoint that a lock names: another user could be listening there. `null`: it may.
 */
export function endpointProblem(path: string): FolderProblem | 'not_absolute' | null {
  if (isPipe(path)) return null;
  if (!isAbsolute(path)) return 'not_absolute';
  const problem = folderProblem(dirname(path));
  if (problem !== null) return problem;
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return 'symlink';
    return stat.uid === process.getuid?.() ? null : 'other_owner';
  } catch (error) {
    return isMissing(error) ? null : 'unreadable';
  }
}

/** Bytes that `sun_path` of `struct sockaddr_un` holds beside its final NUL; libuv refuses or truncates longer ones. */
function longestPath(platform: NodeJS.Platform): number {
  return platform === 'linux' ? 107 : 103;
}

/** `XDG_RUNTIME_DIR` itself may be missing in the environment of `sudo` or `cron`, or be another user's. */
function runtimeProblem(runtime: string, folder: string): FolderProblem | 'not_absolute' | null {
  if (!isAbsolute(runtime)) return 'not_absolute';
  const problem = folderProblem(runtime);
  if (problem !== null) return problem;
  const own = folderProblem(folder);
  return own === 'missing' ? null : own;
}

function isPipe(path: string): boolean {
  return process.platform === 'win32' && path.startsWith('\\\\.\\pipe\\');
}

function refused(folder: string, problem: EndpointFailure['problem']): { ok: false; failure: EndpointFailure } {
  return {
    ok: false,
    failure: {
      reason: 'endpoint_refused',
      folder,
      problem,
      detail: `the folder for the socket, ${folder}, is refused: ${PROBLEMS[problem]}`,
    },
  };
}
