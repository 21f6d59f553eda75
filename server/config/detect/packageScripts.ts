/** The scripts of `package.json`, for npm, pnpm, yarn and bun. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { splitWords } from '../words.ts';
import { type Detected, type DetectedEntry, type DetectProblem, readRootFile } from './detect.ts';

const FILE = 'package.json';

type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

export async function packageScripts(root: string): Promise<Detected> {
  const problems: DetectProblem[] = [];
  const text = await readRootFile(root, FILE, problems);
  if (text === null) return { entries: [], problems };
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    return { entries: [], problems: [{ file: FILE, message: `it is not valid JSON: ${(error as Error).message}` }] };
  }
  const { scripts, packageManager } = asObject(manifest);
  if (scripts === undefined) return { entries: [], problems };
  if (Object.keys(asObject(scripts)).length === 0 && JSON.stringify(scripts) !== '{}') {
    return { entries: [], problems: [{ file: FILE, message: 'expected `scripts` to be a map of names and commands' }] };
  }
  const manager = packageManagerOf(root, packageManager);
  const names = new Set(Object.keys(asObject(scripts)));
  const usable: [string, string][] = [];
  for (const [name, script] of Object.entries(asObject(scripts))) {
    const complaint = complaintAbout(name, script);
    if (complaint !== null) problems.push({ file: FILE, message: `the script ${JSON.stringify(name)} ${complaint}` });
    else if (typeof script === 'string' && !isLifecycle(name, names)) usable.push([name, script]);
  }
  const main = mainService(usable.map(([name]) => name));
  return { entries: usable.map(([name, script]) => entryOf(name, script, manager, names, main)), problems };
}

/** The lock file says which tool people really use; then `packageManager`; then npm. */
function packageManagerOf(root: string, declared: unknown): PackageManager {
  const locked = LOCK_FILES.filter(([file]) => lstatSync(join(root, file), { throwIfNoEntry: false }) !== undefined);
  const managers = new Set(locked.map(([, manager]) => manager));
  const wanted = typeof declared === 'string' ? declared.split('@')[0] : undefined;
  const known = (['npm', 'pnpm', 'yarn', 'bun'] as const).find((manager) => manager === wanted);
  const [only] = managers;
  return managers.size === 1 && only !== undefined ? only : (known ?? only ?? 'npm');
}

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];

/** Scripts that the package manager runs by itself, around installing, publishing and the script of the plain name. */
function isLifecycle(name: string, names: ReadonlySet<string>): boolean {
  if (LIFECYCLE.has(name)) return true;
  const around = /^(?:pre|post)(.+)$/.exec(name)?.[1];
  return around !== undefined && (names.has(around) || LIFECYCLE.has(around));
}

const LIFECYCLE = new Set([
  ...['install', 'uninstall', 'prepare', 'prepublish', 'prepublishOnly', 'publish', 'pack', 'version', 'dependencies'],
]);

function complaintAbout(name: string, script: unknown): string | null {
  if (typeof script !== 'string') return 'is left out: expected a text';
  if (script.trim() === '') return 'is left out: it is empty';
  if (name === '' || name.startsWith('-')) return 'is left out: its name would be taken for an option';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001F]/.test(name)) return 'is left out: its name holds control characters';
  if (name.includes('${port}')) return 'is left out: its name holds a placeholder of Coppice';
  if (/^(?:npx\s+)?coppice(?:\s|$)/.test(script.trim())) return 'is left out: it starts Coppice itself';
  return null;
}

/** `dev`, `start:web`, `watch` and `css:watch` run until they are stopped. */
function isService(name: string): boolean {
  const parts = name.toLowerCase().split(/[:./_-]/);
  return SERVICE_WORDS.includes(parts[0] ?? '') || parts.at(-1) === 'watch' || parts.at(-1) === 'dev';
}

/** In this order, the first that is there is what `up` starts: the others usually are another way to start the same. */
const SERVICE_WORDS = ['dev', 'start', 'serve', 'develop', 'preview', 'watch'];

function mainService(names: readonly string[]): string | null {
  return SERVICE_WORDS.find((word) => names.includes(word)) ?? names.find(isService) ?? null;
}

function entryOf(
  name: string,
  script: string,
  manager: PackageManager,
  names: ReadonlySet<string>,
  main: string | null,
): DetectedEntry {
  const run = [manager, 'run', name] as const;
  const common = { name, source: FILE, origin: script, dependsOn: [], port: null, kind: 'service' } as const;
  const vite = viteCommand(script);
  const type = vite === 'build' || (vite === null && !isService(name)) ? 'task' : 'service';
  if (type === 'task') return { ...common, type, command: run, enabled: true };
  const service = { ...common, type, enabled: name === main } as const;
  if (vite !== 'vite' && vite !== 'preview') return { ...service, command: run };
  const fixed = portArgument(script);
  const dependsOn = vite === 'preview' && names.has('build') && !isService('build') ? ['build'] : [];
  const viteService = { ...service, kind: vite, dependsOn } as const;
  if (fixed !== null) return { ...viteService, port: fixed, command: run };
  // What follows is given to the end of the script, so the script must be that one command.
  if (splitWords(script).problems.length > 0) return { ...viteService, command: run };
  // Only npm takes `--` away; the others would hand it on.
  const separator = manager === 'npm' ? ['--'] : [];
  return { ...viteService, port: 'auto', command: [...run, ...separator, '--port', '${port}'] };
}

/** Which command of Vite a script is, through `npx`, `cross-env` and assignments before it. */
function viteCommand(script: string): 'vite' | 'preview' | 'build' | null {
  const words = [...splitWords(script).words];
  while (/^(?:npx|bunx|cross-env|dotenv|--|-y|--yes|\w+=.*)$/.test(words[0] ?? '')) words.shift();
  const [program, ...rest] = words;
  if (program === undefined || !/^(?:.*\/)?vite$/.test(program)) return null;
  const command = rest.find((word) => !word.startsWith('-')) ?? '';
  if (command === 'build' && !rest.includes('--watch') && !rest.includes('-w')) return 'build';
  if (command === 'preview') return 'preview';
  return ['build', 'optimize'].includes(command) ? null : 'vite';
}

function portArgument(script: string): number | null {
  const figures = /(?:^|\s)(?:--port[= ]|-p )\s*(\d{1,5})(?=\s|$)/.exec(script)?.[1];
  const port = Number(figures);
  return figures !== undefined && port >= 1 && port <= 65_535 ? port : null;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
