/** Finds the program of a command before anything is started, so that a failure can say where it was looked for. */
import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { CommandSpec } from '../config/model.ts';
import type { LaunchFailure } from './types.ts';

export interface ResolveContext {
  readonly cwd: string;
  readonly workspaceRoot: string;
  /** The child's own environment: its `PATH` counts, not ours. */
  readonly env: Readonly<Record<string, string>>;
}

/** What of the file system a lookup asks; given by tests. */
export interface ProgramFiles {
  look(path: string): 'program' | 'not executable' | 'folder' | 'absent';
}

export type ResolveResult =
  | { readonly ok: true; readonly argv: readonly [string, ...string[]] }
  | { readonly ok: false; readonly failure: LaunchFailure };

/**
 * The words to start, the first an absolute path. A name is looked for in the workspace's own tool folders and then
 * along `PATH`; one with a slash is a path from `cwd`. A script goes to the platform's shell.
 */
export function resolveCommand(
  command: CommandSpec,
  context: ResolveContext,
  platform: NodeJS.Platform = process.platform,
  files: ProgramFiles = realFiles,
): ResolveResult {
  if (command.kind === 'shell') return { ok: true, argv: shellCommand(command.script, context.env, platform) };
  const [program, ...rest] = command.argv;
  if (program === '') return { ok: false, failure: { reason: 'command_not_found', command: program, searched: [] } };
  const names = candidateNames(program, context.env, platform);
  const paths = platform === 'win32' ? win32 : posix;
  const isPath = program.includes('/') || (platform === 'win32' && /[\\:]/.test(program));
  const folders = isPath ? [] : lookupFolders(context, platform);
  const candidates = isPath
    ? names.map((name) => paths.resolve(context.cwd, name))
    : folders.flatMap((folder) => names.map((name) => paths.join(folder, name)));
  let refused: { path: string; why: string } | null = null;
  for (const path of candidates) {
    const seen = files.look(path);
    if (seen === 'program') return { ok: true, argv: [path, ...rest] };
    if (seen === 'not executable') refused ??= { path, why: 'its execute bit is not set' };
    if (seen === 'folder' && isPath) refused ??= { path, why: 'is a folder' };
  }
  if (refused !== null) {
    return { ok: false, failure: { reason: 'not_executable', command: refused.path, detail: refused.why } };
  }
  const searched = isPath ? candidates.slice(0, 1) : folders;
  return { ok: false, failure: { reason: 'command_not_found', command: program, searched } };
}

/**
 * The tool folders that stand before `PATH`: `node_modules/.bin` and the virtual environment's own, from `cwd` up to
 * the workspace root. Folders that are not there yet are in it too: a script may install before it runs.
 */
export function searchPath(
  cwd: string,
  workspaceRoot: string,
  platform: NodeJS.Platform = process.platform,
): readonly string[] {
  const paths = platform === 'win32' ? win32 : posix;
  const folders: string[] = [];
  const inside = cwd === workspaceRoot || cwd.startsWith(paths.join(workspaceRoot, paths.sep));
  for (let folder = cwd; ; folder = paths.dirname(folder)) {
    folders.push(paths.join(folder, 'node_modules', '.bin'));
    folders.push(paths.join(folder, '.venv', platform === 'win32' ? 'Scripts' : 'bin'));
    if (!inside || folder === workspaceRoot || folder === paths.dirname(folder)) return folders;
  }
}

function lookupFolders({ cwd, workspaceRoot, env }: ResolveContext, platform: NodeJS.Platform): string[] {
  const paths = platform === 'win32' ? win32 : posix;
  const path = variable(env, 'PATH', platform) ?? '';
  const listed = path
    .split(paths.delimiter)
    .map((folder) => (platform === 'win32' ? folder.replace(/^"(.*)"$/, '$1') : folder))
    // An empty part means the current folder to a shell: a stray colon must not decide what is run.
    .filter((folder) => folder !== '')
    .map((folder) => paths.resolve(cwd, folder));
  return [...new Set([...searchPath(cwd, workspaceRoot, platform), ...listed])];
}

/** The file names that `program` can mean. Windows tries the extensions of PATHEXT unless it has one of them. */
function candidateNames(
  program: string,
  env: Readonly<Record<string, string>>,
  platform: NodeJS.Platform,
): readonly string[] {
  if (platform !== 'win32') return [program];
  const extensions = (variable(env, 'PATHEXT', platform) ?? '.COM;.EXE;.BAT;.CMD')
    .split(';')
    .filter((extension) => extension.startsWith('.'));
  const own = win32.extname(program).toLowerCase();
  const withExtension = extensions.map((extension) => `${program}${extension.toLowerCase()}`);
  return extensions.some((extension) => extension.toLowerCase() === own) ? [program, ...withExtension] : withExtension;
}

/** `/d`: no AutoRun commands; `/s`: exactly the outer quotes are taken off, whatever is inside. */
function shellCommand(
  script: string,
  env: Readonly<Record<string, string>>,
  platform: NodeJS.Platform,
): readonly [string, ...string[]] {
  if (platform !== 'win32') return ['/bin/sh', '-c', script];
  const named = variable(env, 'ComSpec', platform);
  const root = variable(env, 'SystemRoot', platform) ?? 'C:\\Windows';
  const shell = named !== undefined && win32.isAbsolute(named) ? named : win32.join(root, 'System32', 'cmd.exe');
  return [shell, '/d', '/s', '/c', `"${script}"`];
}

function variable(env: Readonly<Record<string, string>>, name: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env[name];
  const upper = name.toUpperCase();
  const known = Object.keys(env).find((candidate) => candidate.toUpperCase() === upper);
  return known === undefined ? undefined : env[known];
}

const realFiles: ProgramFiles = {
  look(path) {
    try {
      const info = statSync(path, { throwIfNoEntry: false });
      if (info === undefined) return 'absent';
      if (info.isDirectory()) return 'folder';
      if (!info.isFile()) return 'absent';
    } catch {
      return 'absent';
    }
    try {
      accessSync(path, constants.X_OK);
      return 'program';
    } catch {
      return 'not executable';
    }
  },
};
