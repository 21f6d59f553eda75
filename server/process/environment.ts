/** The environment of a child: the host's marks removed by `ENVIRONMENT_RULES`, then layered up to what the entry asks. */
import { delimiter } from 'node:path';
import { readEnvironmentFile } from './dotenv.ts';
import { ENVIRONMENT_RULES } from './environmentRules.ts';
import type { LaunchFailure } from './types.ts';

export { ENVIRONMENT_RULES } from './environmentRules.ts';

export type Environment = Record<string, string>;

export interface CleanedEnvironment {
  readonly env: Environment;
  /** Sorted names; one of which only a part went (`NODE_OPTIONS`) counts. Never values. */
  readonly removed: string[];
  /** Sorted names that a prefix covers and that stay. */
  readonly preserved: string[];
}

/** Of bases that are frozen, and so the same at every start: fifty services share one cleaning. */
const cleanedBases = new WeakMap<object, CleanedEnvironment>();

/** A new environment without a host's marks. Leaves `base` as it is, and skips what is undefined in it. */
export function cleanEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): CleanedEnvironment {
  if (!Object.isFrozen(base)) return clean(base, platform);
  const known = cleanedBases.get(base) ?? clean(base, platform);
  cleanedBases.set(base, known);
  return { env: { ...known.env }, removed: [...known.removed], preserved: [...known.preserved] };
}

function clean(base: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): CleanedEnvironment {
  const folded = platform === 'win32';
  const matcher = folded ? WINDOWS_MATCHER : MATCHER;
  const lookup = (name: string): string | undefined => base[nameIn(base, name, folded)];
  const env: Environment = {};
  const removed = new Set<string>();
  const preserved = new Set<string>();
  for (const [name, value] of Object.entries(base)) {
    if (value === undefined) continue;
    const rule = matcher.judge(name, value, lookup);
    if (rule === 'preserved') preserved.add(name);
    if (rule !== 'removed') env[name] = value;
    else removed.add(name);
  }
  withoutDebugger(env, removed, folded);
  restoreSnapOriginals(env, removed);
  return { env, removed: [...removed].sort(), preserved: [...preserved].sort() };
}

export interface EnvironmentLayers {
  /** What everything starts from; cleaned here. */
  readonly base: Readonly<Record<string, string | undefined>>;
  /** Absolute paths of `.env` files; a later one wins. */
  readonly envFiles?: readonly string[];
  /** What the entry asks for: wins over all before, and is not cleaned, since somebody wrote it down. */
  readonly entryEnv?: Readonly<Record<string, string>>;
  /** What only the launcher knows, such as `PORT`: wins over the entry. */
  readonly extra?: Readonly<Record<string, string>>;
  /** Becomes `COPPICE_TREE`. */
  readonly marker: string;
  /** Folders that stand first on `PATH`. */
  readonly pathPrefix?: readonly string[];
  readonly platform?: NodeJS.Platform;
}

export type ComposedEnvironment =
  | ({ readonly ok: true } & CleanedEnvironment)
  | { readonly ok: false; readonly failure: LaunchFailure };

/** The whole environment of a child: cleaned base, then files, entry, extra, defaults, path and marker. */
export function composeEnvironment(layers: EnvironmentLayers): ComposedEnvironment {
  const platform = layers.platform ?? process.platform;
  const folded = platform === 'win32';
  const { env, removed, preserved } = cleanEnvironment(layers.base, platform);
  for (const file of layers.envFiles ?? []) {
    const read = readEnvironmentFile(file, (name) => env[nameIn(env, name, folded)]);
    if (!read.ok) return { ok: false, failure: { reason: 'environment_file', file, detail: read.message } };
    for (const [name, value] of read.values) put(env, name, value, folded);
  }
  for (const [name, value] of Object.entries(layers.entryEnv ?? {})) put(env, name, value, folded);
  for (const [name, value] of Object.entries(layers.extra ?? {})) put(env, name, value, folded);
  for (const { name, value, unless } of ENVIRONMENT_RULES.defaults) {
    if (unless.every((other) => (env[nameIn(env, other, folded)] ?? '') === '')) put(env, name, value, folded);
  }
  prependPath(env, layers.pathPrefix ?? [], platform);
  put(env, 'COPPICE_TREE', layers.marker, folded);
  return { ok: true, env, removed, preserved };
}

type Verdict = 'removed' | 'preserved' | 'kept';

/** The rules in a form that answers quickly. Windows knows one variable under every case of its name. */
class RuleMatcher {
  readonly #fold: (name: string) => string;
  readonly #exact: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #preserved: ReadonlySet<string>;
  readonly #preservedPatterns: readonly RegExp[];
  readonly #conditional: ReadonlyMap<string, (typeof ENVIRONMENT_RULES.conditional)[number]>;

  constructor(folded: boolean) {
    const fold = (name: string): string => (folded ? name.toUpperCase() : name);
    const { exact, prefixes, preserve, conditional } = ENVIRONMENT_RULES;
    this.#fold = fold;
    this.#exact = new Set(exact.map(fold));
    this.#prefixes = prefixes.map(fold);
    this.#preserved = new Set(preserve.filter((item) => typeof item === 'string').map(fold));
    this.#preservedPatterns = preserve.filter((item) => item instanceof RegExp);
    this.#conditional = new Map(conditional.map((rule) => [fold(rule.name), rule]));
  }

  judge(name: string, value: string, lookup: (name: string) => string | undefined): Verdict {
    const folded = this.#fold(name);
    if (this.#exact.has(folded)) return 'removed';
    if (this.#prefixes.some((prefix) => folded.startsWith(prefix))) {
      const stays = this.#preserved.has(folded) || this.#preservedPatterns.some((pattern) => pattern.test(folded));
      return stays ? 'preserved' : 'removed';
    }
    return this.#conditional.get(folded)?.goes(value, lookup) === true ? 'removed' : 'kept';
  }
}

const MATCHER = new RuleMatcher(false);
const WINDOWS_MATCHER = new RuleMatcher(true);

/** The name under which `env` has `name` already. */
function nameIn(env: Readonly<Record<string, unknown>>, name: string, folded: boolean): string {
  if (!folded || Object.hasOwn(env, name)) return name;
  const upper = name.toUpperCase();
  return Object.keys(env).find((known) => known.toUpperCase() === upper) ?? name;
}

function put(env: Environment, name: string, value: string, folded: boolean): void {
  env[nameIn(env, name, folded)] = value;
}

function prependPath(env: Environment, folders: readonly string[], platform: NodeJS.Platform): void {
  if (folders.length === 0) return;
  const separator = platform === process.platform ? delimiter : platform === 'win32' ? ';' : ':';
  const name = nameIn(env, 'PATH', platform === 'win32');
  const first = new Set(folders);
  const rest = (env[name] ?? '').split(separator).filter((folder) => folder !== '' && !first.has(folder));
  env[name] = [...first, ...rest].join(separator);
}

/** Takes a debugger's flags out of `NODE_OPTIONS` and leaves the user's own in it. */
function withoutDebugger(env: Environment, removed: Set<string>, folded: boolean): void {
  const name = nameIn(env, 'NODE_OPTIONS', folded);
  const value = env[name];
  if (value === undefined) return;
  const kept = stripDebuggerOptions(value);
  if (kept === value) return;
  removed.add(name);
  if (kept === '') delete env[name];
  else env[name] = kept;
}

/** `NODE_OPTIONS` without what attaches a debugger; the same text when there is nothing of that kind in it. */
export function stripDebuggerOptions(options: string): string {
  // Node splits at blanks, with double quotes around words that hold some and backslashes within those.
  const words = options.match(/(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g) ?? [];
  const kept: string[] = [];
  let found = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [flag = '', inline] = word.split(/=(.*)/s);
    if (/^--(inspect|debug-port)/.test(flag)) {
      found = true;
      // Only the port has to be given, so only there can it stand in the next word.
      if (inline === undefined && /^--(inspect-port|debug-port)$/.test(flag)) index++;
    } else if (/^(-r|--require|--import|--loader|--experimental-loader)$/.test(flag)) {
      const target = inline ?? words[index + 1] ?? '';
      if (DEBUGGER_MODULE.test(target)) found = true;
      else kept.push(...(inline === undefined ? [word, target].filter((part) => part !== '') : [word]));
      if (inline === undefined) index++;
    } else {
      kept.push(word);
    }
  }
  return found ? kept.join(' ') : options;
}

/** The bootloaders of VS Code's and Visual Studio's debuggers, and of JetBrains'. */
const DEBUGGER_MODULE = /js-debug|ms-vscode|node-debug|bootloader(\.bundle)?\.[cm]?js|debugConnector/i;

const SNAP_ORIGINAL = /^(.+)_VSCODE_SNAP_ORIG$/;

/** The editor's snap package changes variables for itself and keeps what they were under another name. */
function restoreSnapOriginals(env: Environment, removed: Set<string>): void {
  for (const [name, original] of Object.entries(env)) {
    const changed = SNAP_ORIGINAL.exec(name)?.[1];
    if (changed === undefined) continue;
    delete env[name];
    removed.add(name);
    if (original === '') {
      delete env[changed];
      removed.add(changed);
    } else {
      env[changed] = original;
    }
  }
}
