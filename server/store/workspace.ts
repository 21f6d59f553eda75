import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { findConfigFile } from '../config/find.ts';
import { readLockFile } from './lockFile.ts';
import { shortHash } from './names.ts';
import { parseObject, readSmallFile } from './smallFile.ts';
import { type FolderProblem, folderProblem } from './trust.ts';

export interface Workspace {
  /** Names the workspace in markers, sockets and folders; stays when the folder is moved. */
  readonly id: string;
  /** Real path. */
  readonly root: string;
  /** `<device>:<inode>` of the root: the same folder under any path, another folder under the same path. */
  readonly folder: string;
  /** May not exist yet: the supervisor that claims the workspace creates it. */
  readonly stateDir: string;
  /** What was found and not used. */
  readonly findings: readonly StoreFinding[];
}

export type StateDirProblem = FolderProblem | 'not_absolute' | 'inside_workspace' | 'not_marked' | 'marked_for_other';

export type StoreFinding =
  /** A state directory that `.coppice` names, which a stranger may have written. */
  | { readonly kind: 'state_dir_ignored'; readonly stateDir: string; readonly reason: StateDirProblem }
  | { readonly kind: 'workspace_file_corrupt'; readonly path: string }
  /** `$XDG_RUNTIME_DIR` names no private folder of this user. */
  | {
      readonly kind: 'runtime_dir_ignored';
      readonly path: string;
      readonly reason: FolderProblem | 'not_absolute' | 'too_long';
    }
  | { readonly kind: 'variable_ignored'; readonly variable: string; readonly reason: 'not_absolute' };

export type WorkspaceFailure =
  | { readonly reason: 'no_folder'; readonly path: string; readonly detail: string }
  /** The state directory of this workspace exists and is not safe to use. */
  | { readonly reason: 'state_dir_refused'; readonly stateDir: string; readonly problem: StateDirProblem };

export type WorkspaceResult =
  | { readonly ok: true; readonly workspace: Workspace }
  | { readonly ok: false; readonly failure: WorkspaceFailure };

export interface ResolveOptions {
  /** `cwd` is the root itself (`--cwd`); otherwise the nearest folder upwards with a configuration or `.coppice`. */
  readonly exact?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

/** Finds the workspace that `cwd` is in, and its state. Changes nothing. */
export function resolveWorkspace(cwd: string, options: ResolveOptions = {}): WorkspaceResult {
  let root: string;
  let folder: string;
  try {
    root = realpathSync(cwd);
    if (options.exact !== true) root = nearestRoot(root);
    folder = folderIdentity(root);
  } catch (error) {
    return { ok: false, failure: { reason: 'no_folder', path: cwd, detail: (error as Error).message } };
  }
  const id = shortHash(`${root}\0${folder}`);
  const home = stateHome(options.environment ?? process.env, options.platform ?? process.platform);
  const findings: StoreFinding[] = [...home.findings];
  const standard = join(home.path, 'coppice', id);
  for (const pointed of pointers(root, findings)) {
    const problem = pointerProblem(pointed.stateDir, root, standard);
    const marker = problem === null ? readMarker(pointed.stateDir) : null;
    if (problem === null && marker !== null && isMarkedFor(marker, { id, root, folder })) {
      return { ok: true, workspace: { id: marker.id, root, folder, stateDir: pointed.stateDir, findings } };
    }
    // The standard one is judged below: a bad one is refused, one that is missing is created.
    if (pointed.stateDir === standard) continue;
    const reason = problem ?? (marker === null ? 'not_marked' : 'marked_for_other');
    if (!findings.some((known) => known.kind === 'state_dir_ignored' && known.stateDir === pointed.stateDir)) {
      findings.push({ kind: 'state_dir_ignored', stateDir: pointed.stateDir, reason });
    }
  }
  const problem = stateDirProblem(standard, { id, root, folder });
  if (problem !== null && problem !== 'missing' && problem !== 'not_marked') {
    return { ok: false, failure: { reason: 'state_dir_refused', stateDir: standard, problem } };
  }
  return { ok: true, workspace: { id, root, folder, stateDir: standard, findings } };
}

/** What keeps a folder from being the state directory of this workspace; `null`: nothing. */
export function stateDirProblem(stateDir: string, place: Place): StateDirProblem | null {
  const problem = folderProblem(stateDir);
  if (problem !== null) return problem;
  const marker = readMarker(stateDir);
  if (marker === null) return 'not_marked';
  return isMarkedFor(marker, place) ? null : 'marked_for_other';
}

/**
 * How the workspace of a state directory was known, when it is gone from `root`, or another folder lies there. `null`:
 * it is there, or nobody can tell (a mount that stalls, no permission, a directory that is not ours).
 */
export function placeGoneFrom(root: string, stateDir: string): Place | null {
  const marker = folderProblem(stateDir) === null ? readMarker(stateDir) : null;
  if (marker === null) return null;
  try {
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return marker;
    return isMarkedFor(marker, { id: marker.id, root, folder: folderIdentity(root) }) ? null : marker;
  } catch {
    return null;
  }
}

/** How a folder is known. */
export interface Place {
  readonly id: string;
  readonly root: string;
  readonly folder: string;
}

/** File in the state directory that says whose it is: only this user can have put it into a folder private to him. */
export function markerPath(stateDir: string): string {
  return join(stateDir, 'workspace');
}

export function workspaceFilePath(root: string): string {
  return join(root, '.coppice', 'workspace.json');
}

/** `<device>:<inode>`. Throws when `path` is no folder. */
export function folderIdentity(path: string): string {
  const stat = statSync(path, { bigint: true });
  if (!stat.isDirectory()) throw new Error(`${path} is not a folder`);
  return `${stat.dev}:${stat.ino}`;
}

export function describeFinding(finding: StoreFinding): string {
  switch (finding.kind) {
    case 'state_dir_ignored':
      return `the state directory ${finding.stateDir} that .coppice names is not used: ${PROBLEMS[finding.reason]}`;
    case 'workspace_file_corrupt':
      return `${finding.path} cannot be read or understood and is not used`;
    case 'runtime_dir_ignored':
      return `$XDG_RUNTIME_DIR (${finding.path}) is not used for the endpoint: ${PROBLEMS[finding.reason]}`;
    case 'variable_ignored':
      return `$${finding.variable} is not used: it is not an absolute path`;
    default:
      return finding satisfies never;
  }
}

export function describeWorkspaceFailure(failure: WorkspaceFailure): string {
  switch (failure.reason) {
    case 'no_folder':
      return `${failure.path} cannot be used as a workspace: ${failure.detail}`;
    case 'state_dir_refused':
      return `the state directory ${failure.stateDir} is refused: ${PROBLEMS[failure.problem]}`;
    default:
      return failure satisfies never;
  }
}

/** Why a folder is not used, in words that follow "it is refused:". */
export const PROBLEMS: Readonly<Record<StateDirProblem | 'too_long', string>> = {
  missing: 'it does not exist',
  symlink: 'it is a symbolic link',
  not_a_folder: 'it is not a folder',
  other_owner: 'it belongs to another user',
  not_private: 'other users can read or write it (mode 0700 is needed)',
  unreadable: 'it cannot be looked at',
  not_absolute: 'it is not an absolute path',
  inside_workspace: 'it lies within the workspace',
  not_marked: 'it is not marked as state of this workspace',
  marked_for_other: 'it is marked as state of another workspace',
  too_long: 'its path is too long for a socket',
};

function nearestRoot(start: string): string {
  for (let at = start; ; at = dirname(at)) {
    if (findConfigFile(at).kind !== 'none' || isFolder(join(at, '.coppice'))) return at;
    if (dirname(at) === at) return start;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** State directories that the folder `.coppice` names, in the order in which they count. */
function pointers(root: string, findings: StoreFinding[]): { stateDir: string }[] {
  const found: { stateDir: string }[] = [];
  const path = workspaceFilePath(root);
  const file = readSmallFile(path);
  if (file.kind !== 'absent') {
    const stateDir = file.kind === 'text' ? parseObject(file.text)?.stateDir : null;
    if (typeof stateDir === 'string') found.push({ stateDir });
    else findings.push({ kind: 'workspace_file_corrupt', path });
  }
  const lock = readLockFile(join(root, '.coppice', 'supervisor.lock'));
  if (lock.kind === 'lock' && lock.lock.stateDir !== '') found.push({ stateDir: lock.lock.stateDir });
  return found;
}

/** A state directory in the workspace would come with whatever is cloned; only the user's own setting may say so. */
function pointerProblem(stateDir: string, root: string, standard: string): StateDirProblem | null {
  if (!isAbsolute(stateDir)) return 'not_absolute';
  if (stateDir !== standard && isWithin(stateDir, root)) return 'inside_workspace';
  return folderProblem(stateDir);
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function readMarker(stateDir: string): Place | null {
  const file = readSmallFile(markerPath(stateDir));
  const value = file.kind === 'text' ? parseObject(file.text) : null;
  if (value === null) return null;
  const { id, root, folder } = value;
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) return null;
  return typeof root === 'string' && typeof folder === 'string' ? { id, root, folder } : null;
}

/**
 * A moved folder keeps its inode and so its state; on a device that is numbered anew at each boot (btrfs, NFS) a folder
 * keeps path and inode number. A copy has another inode.
 */
function isMarkedFor(marker: Place, place: Place): boolean {
  return marker.folder === place.folder || (marker.root === place.root && inodeOf(marker) === inodeOf(place));
}

function inodeOf(place: Place): string {
  return place.folder.slice(place.folder.indexOf(':') + 1);
}

function stateHome(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): { path: string; findings: StoreFinding[] } {
  const findings: StoreFinding[] = [];
  for (const variable of ['COPPICE_STATE_HOME', 'XDG_STATE_HOME']) {
    const path = environment[variable];
    if (path === undefined || path === '') continue;
    if (isAbsolute(path)) return { path, findings };
    findings.push({ kind: 'variable_ignored', variable, reason: 'not_absolute' });
  }
  const given = environment.HOME;
  const home = given !== undefined && isAbsolute(given) ? given : homedir();
  switch (platform) {
    case 'darwin':
      return { path: join(home, 'Library', 'Application Support'), findings };
    case 'win32':
      return { path: environment.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), findings };
    default:
      return { path: join(home, '.local', 'state'), findings };
  }
}
