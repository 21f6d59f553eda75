/**
 * The keeper: the tiny parent of a managed tree, which writes the exit record and proves the tree empty. Which one can
 * be used here, how it is called, and what it says on file descriptor 3.
 */
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  statSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { signalNumber } from './spawnerRequest.ts';
import type { ExitStatus, LaunchRequest } from './types.ts';

/**
 * `native`: the prebuilt program; parent of the leader and reaper of its orphans. `shell`: a script, itself the leader.
 * `none`: the platform has none, the launcher writes the exit record.
 */
export type Keeper =
  | { readonly kind: 'native'; readonly path: string }
  | { readonly kind: 'shell'; readonly path: string }
  | { readonly kind: 'none' };

/** What a keeper says on descriptor 3, one line each. Start times are `null` where the keeper cannot know them. */
export type KeeperReport =
  | {
      readonly kind: 'started';
      readonly pid: number;
      readonly startTime: string | null;
      readonly keeperStartTime: string | null;
      readonly keeperPid: number | null;
    }
  | { readonly kind: 'error'; readonly stage: string; readonly code: string }
  | { readonly kind: 'exited'; readonly status: ExitStatus }
  /** By the spawner: the keeper itself ended. */
  | { readonly kind: 'ended'; readonly status: ExitStatus };

export interface KeeperSearch {
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  /** Folder of the module that asks: `server/process` in the source, `dist` in a bundle. */
  readonly from?: string;
  /** Folders in which a copy with the execute bit may be put, best first. */
  readonly privateFolders?: readonly string[];
  /** Sets the execute bit in place; throws where that is not allowed. */
  readonly restoreMode?: (path: string) => void;
}

/**
 * The keepers to try here, best first. A native one without its execute bit (package formats drop modes) gets it back,
 * or is copied to a private folder that allows it. Nothing is kept from one call to the next.
 */
export function findKeepers(search: KeeperSearch = {}): readonly Keeper[] {
  const { platform = process.platform, arch = process.arch, from = moduleFolder() } = search;
  if (platform === 'win32') return [{ kind: 'none' }];
  const keepers: Keeper[] = [];
  const name = platform === 'linux' ? NATIVE_NAMES[arch] : undefined;
  if (name !== undefined) {
    const native = firstExisting(join(from, 'platform', 'linux', `keeper-${name}`), join(from, 'keeper', name));
    const path = native === null ? null : executable(native, search);
    if (path !== null) keepers.push({ kind: 'native', path });
  }
  const script = firstExisting(join(from, 'platform', 'posix', 'keeper.sh'), join(from, 'keeper', 'posix.sh'));
  if (script !== null) keepers.push({ kind: 'shell', path: script });
  keepers.push({ kind: 'none' });
  return keepers;
}

/** The words that start `request` under `keeper`. */
export function keeperCommand(keeper: Keeper, request: LaunchRequest): readonly [string, ...string[]] {
  const [program, ...rest] = request.argv;
  const { stdin, pact } = request;
  const mode = pact === undefined ? stdin : `${stdin}:${signalNumber(pact.stopSignal)}:${pact.stopTimeoutMs}`;
  const words = [request.exitRecordPath, mode, '--', program, program, ...rest];
  switch (keeper.kind) {
    case 'native':
      return [keeper.path, ...words];
    case 'shell':
      return ['/bin/sh', keeper.path, ...words];
    case 'none':
      return request.argv;
    default:
      return keeper satisfies never;
  }
}

/** Reads one line of a keeper; `null` for anything it never says. */
export function parseKeeperReport(line: string): KeeperReport | null {
  const [word, first = '', second = '', third = '', fourth = ''] = line.split(' ');
  switch (word) {
    case 'started': {
      const pid = Number(first);
      if (!Number.isSafeInteger(pid) || pid <= 1) return null;
      const keeperPid = known(fourth);
      return {
        kind: 'started',
        pid,
        startTime: known(second),
        keeperStartTime: known(third),
        keeperPid: keeperPid === null ? null : Number(keeperPid),
      };
    }
    case 'error': {
      const errno = Number(second);
      if (!Number.isSafeInteger(errno) || errno <= 0) return null;
      return { kind: 'error', stage: first, code: errorName(errno) };
    }
    case 'exited':
    case 'ended': {
      const code = known(first);
      const signal = known(second) as NodeJS.Signals | null;
      return { kind: word, status: { code: code === null ? null : Number(code), signal } };
    }
    default:
      return null;
  }
}

const NATIVE_NAMES: Readonly<Record<string, string>> = { x64: 'linux-x64', arm64: 'linux-arm64' };

function moduleFolder(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

function firstExisting(...paths: readonly string[]): string | null {
  return paths.find((path) => existsSync(path)) ?? null;
}

function known(word: string): string | null {
  return word === '-' || word === '' ? null : word;
}

function errorName(errno: number): string {
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `errno ${errno}`;
  }
}

/** The path of `binary` or of a copy of it that may be executed; `null` when neither can be had. */
function executable(binary: string, search: KeeperSearch): string | null {
  const { privateFolders = defaultPrivateFolders(), restoreMode = (path) => chmodSync(path, 0o755) } = search;
  if (mayExecute(binary)) return binary;
  try {
    restoreMode(binary);
    if (mayExecute(binary)) return binary;
  } catch {
    // Not ours, or on a read-only mount: a copy will do.
  }
  for (const folder of privateFolders) {
    const copy = privateCopy(binary, folder);
    if (copy !== null) return copy;
  }
  return null;
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The copy is named after size and time of the original, so that an update brings a new one. */
function privateCopy(binary: string, folder: string): string | null {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const info = lstatSync(folder);
    // Whoever can write the folder decides what is run in the user's name.
    if (!info.isDirectory() || info.uid !== process.getuid?.() || (info.mode & 0o077) !== 0) return null;
    const { size, mtimeMs } = statSync(binary);
    const copy = join(folder, `keeper-${size}-${Math.trunc(mtimeMs)}`);
    if (mayExecute(copy)) return copy;
    const partial = `${copy}.${process.pid}`;
    copyFileSync(binary, partial);
    chmodSync(partial, 0o700);
    renameSync(partial, copy);
    return mayExecute(copy) ? copy : null;
  } catch {
    return null;
  }
}

function defaultPrivateFolders(): readonly string[] {
  const folders = [join(tmpdir(), `coppice-keeper-${process.getuid?.() ?? 0}`)];
  const home = homedir();
  if (home !== '') folders.unshift(join(home, '.cache', 'coppice', 'keeper'));
  return folders;
}
