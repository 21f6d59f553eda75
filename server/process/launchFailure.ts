/** Turns what went wrong at a start into a `LaunchFailure`, and checks what can be checked before one. */
import { accessSync, closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import type { LaunchFailure } from './types.ts';

/** `null` when a process can be started in `cwd`. */
export function checkWorkingDirectory(cwd: string): LaunchFailure | null {
  if (!isAbsolute(cwd)) return { reason: 'bad_cwd', cwd, detail: 'is not an absolute path' };
  try {
    if (!statSync(cwd).isDirectory()) return { reason: 'bad_cwd', cwd, detail: 'is not a folder' };
    accessSync(cwd, constants.X_OK);
    return null;
  } catch (error) {
    return describeBadFolder(cwd, errorCode(error));
  }
}

export function describeBadFolder(cwd: string, code: string): LaunchFailure {
  if (isResourceError(code)) return { reason: 'resources', code, detail: `while looking at ${cwd}` };
  return { reason: 'bad_cwd', cwd, detail: CWD_DETAILS[code] ?? code };
}

/** `null` when the file is there and may be executed; whether it can be is only known by doing it. */
export function checkProgram(program: string): LaunchFailure | null {
  try {
    accessSync(program, constants.X_OK);
    return statSync(program).isDirectory() ? describeExecError(program, 'EACCES') : null;
  } catch (error) {
    return describeExecError(program, errorCode(error));
  }
}

/** `null` when the words can be handed to a program: a C string ends at its first NUL. */
export function checkWords(argv: readonly [string, ...string[]]): LaunchFailure | null {
  if (argv.every((word) => !word.includes('\0'))) return null;
  return { reason: 'spawn_error', command: argv[0], code: 'EINVAL', detail: 'an argument holds a NUL character' };
}

export type OutputFile =
  | { readonly ok: true; readonly fd: number; readonly offset: number }
  | { readonly ok: false; readonly failure: LaunchFailure };

/**
 * Opens the file that the child writes to. O_APPEND lets several writers share it and lets it be truncated under them;
 * a symbolic link is refused, since it would let a stranger choose what is written to.
 */
export function openOutput(path: string, command: string): OutputFile {
  try {
    makeFolder(dirname(path));
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(path, flags, 0o600);
    const info = fstatSync(fd);
    if (info.isFile()) return { ok: true, fd, offset: info.size };
    closeSync(fd);
    const detail = `${path} is not a regular file`;
    return { ok: false, failure: { reason: 'spawn_error', command, code: 'EINVAL', detail } };
  } catch (error) {
    return { ok: false, failure: describeOutputError(path, command, errorCode(error)) };
  }
}

/** The folder itself, never those above it: a state directory that somebody removed is not brought back by a launch. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

export function describeOutputError(path: string, command: string, code: string): LaunchFailure {
  const detail = code === 'ELOOP' ? `${path} is a symbolic link` : `cannot open ${path} for its output`;
  if (isResourceError(code)) return { reason: 'resources', code, detail };
  return { reason: 'spawn_error', command, code, detail };
}

/** What an error code of fork(2) or execve(2) means for `program`, an absolute path. */
export function describeExecError(program: string, code: string): LaunchFailure {
  if (isResourceError(code)) {
    return { reason: 'resources', code, detail: RESOURCE_DETAILS[code] ?? `while starting ${program}` };
  }
  switch (code) {
    case 'ENOENT':
      // The kernel says the same when the file is there and the interpreter of its #! line, or its loader, is not.
      return isThere(program)
        ? { reason: 'not_executable', command: program, detail: 'the interpreter that it names does not exist' }
        : { reason: 'command_not_found', command: program, searched: [program] };
    case 'ENOTDIR':
      return { reason: 'command_not_found', command: program, searched: [program] };
    case 'EACCES':
    case 'EPERM':
      return { reason: 'not_executable', command: program, detail: describeDenial(program) };
    case 'ENOEXEC':
      return { reason: 'not_executable', command: program, detail: 'not a program for this machine, and no #! line' };
    case 'ETXTBSY':
      return { reason: 'not_executable', command: program, detail: 'somebody is writing to it (ETXTBSY)' };
    case 'E2BIG':
      return { reason: 'spawn_error', command: program, code, detail: 'arguments and environment are too long' };
    default:
      return { reason: 'spawn_error', command: program, code, detail: 'the system refused to start it' };
  }
}

/** Errors of the whole machine or user, not of this command: the same start may work a moment later. */
export function isResourceError(code: string): boolean {
  return Object.hasOwn(RESOURCE_DETAILS, code);
}

export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

const CWD_DETAILS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
  EACCES: 'may not be entered (permission denied)',
  ELOOP: 'is a symbolic link to itself',
};

const RESOURCE_DETAILS: Readonly<Record<string, string>> = {
  EAGAIN: 'the limit of processes is reached',
  ENOMEM: 'no memory is left',
  EMFILE: 'this process has no file handle left',
  ENFILE: 'the system has no file handle left',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
};

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function describeDenial(program: string): string {
  try {
    if (statSync(program).isDirectory()) return 'is a folder';
    accessSync(program, constants.X_OK);
    return 'its interpreter may not be executed, or it lies on a mount that allows no execution';
  } catch (error) {
    return errorCode(error) === 'EACCES' ? 'permission denied (is its execute bit set?)' : errorCode(error);
  }
}
