/** From settings that have passed every check to the configuration that the rest of the server sees. */
import { resolve as resolvePath } from 'node:path';
import { FITTING_CONDITIONS } from './checks/dependencies.ts';
import type { Folders } from './checks/folders.ts';
import type {
  CommandSpec,
  Dependency,
  EntryConfig,
  LivenessProbe,
  ProbeTarget,
  ReadinessProbe,
  ServiceConfig,
  TaskConfig,
  WorkspaceConfig,
} from './model.ts';
import type { ProbeSetting } from './schema/probes.ts';
import type { ServiceSettings, Settings, TaskSettings } from './schema.ts';
import { splitWords } from './words.ts';

export function resolveSettings(settings: Settings, file: string | null, folders: Folders): WorkspaceConfig {
  const services = Object.entries(settings.services ?? {});
  const tasks = Object.entries(settings.tasks ?? {});
  const taskNames = new Set(tasks.map(([name]) => name));
  const common = (name: string, entry: ServiceSettings | TaskSettings) => commonPart(name, entry, taskNames, folders);
  return {
    file,
    services: new Map(services.map(([name, entry]) => [name, serviceConfig(entry, common(name, entry))])),
    tasks: new Map(tasks.map(([name, entry]) => [name, taskConfig(entry, common(name, entry))])),
    idleGraceMs: settings.idle.grace,
  };
}

function serviceConfig(entry: ServiceSettings, common: EntryConfig): ServiceConfig {
  const { kind, port = null, restart, memory, enabled, languages, warm, idleStop, live } = entry;
  return {
    ...common,
    type: 'service',
    kind,
    port,
    ready: readiness(entry),
    live: live === undefined ? null : liveness(live),
    restart,
    memory,
    idleStopMs: idleStop === 'off' ? null : idleStop,
    enabled,
    languages,
    warm: warm ?? (kind === 'lsp' ? 'reload' : 'off'),
  };
}

function taskConfig(entry: TaskSettings, common: EntryConfig): TaskConfig {
  const { inputs, outputs, envInputs, timeout = null, retries, attentionCodes, cache, problemMatcher } = entry;
  return {
    ...common,
    type: 'task',
    inputs: inputs ?? [],
    outputs: outputs ?? [],
    envInputs,
    timeoutMs: timeout,
    retries,
    attentionCodes,
    cache: cache ?? (inputs !== undefined || outputs !== undefined),
    problemMatcher,
  };
}

function commonPart(
  name: string,
  entry: ServiceSettings | TaskSettings,
  taskNames: ReadonlySet<string>,
  folders: Folders,
): EntryConfig {
  const folder = folders.verdict(entry.cwd);
  if (folder.kind === 'refused') throw new Error(`the folder of ${name} has passed the check: ${folder.why}`);
  return {
    name,
    command: commandSpec(entry.command, entry.shell),
    cwd: folder.path,
    env: entry.env,
    envFiles: entry.envFile.map((path) => resolvePath(folder.path, path)),
    dependsOn: dependencies(entry.dependsOn, taskNames),
    stopSignal: entry.stopSignal,
    stopTimeoutMs: entry.stopTimeout,
    stdin: entry.stdin,
    onSupervisorLoss: entry.onSupervisorLoss,
    onOwnerLoss: entry.onOwnerLoss,
  };
}

function commandSpec(command: string | readonly string[], shell: boolean): CommandSpec {
  if (shell && typeof command === 'string') return { kind: 'shell', script: command };
  const [program, ...rest] = typeof command === 'string' ? splitWords(command).words : command;
  if (program === undefined || program === '') throw new Error('a command without a program has passed the check');
  return { kind: 'argv', argv: [program, ...rest] };
}

function dependencies(listed: ServiceSettings['dependsOn'], taskNames: ReadonlySet<string>): Dependency[] {
  const byName = new Map<string, Dependency>();
  for (const { name, condition } of listed) {
    const type = taskNames.has(name) ? 'task' : 'service';
    byName.set(name, { name, condition: condition ?? FITTING_CONDITIONS[type][0] });
  }
  return [...byName.values()];
}

/** The waits that hold where only the kind of a service says what is to be asked. */
const USUAL_WAIT = { intervalMs: 500, timeoutMs: 30_000 };

function readiness({ kind, port, ready }: ServiceSettings): ReadinessProbe | null {
  if (ready === 'none') return null;
  if (ready !== undefined) return { ...ready, probe: probeTarget(ready.probe) };
  switch (kind) {
    case 'vite':
    case 'preview':
      return port === undefined ? null : { probe: { kind: 'http', target: '/' }, ...USUAL_WAIT };
    case 'lsp':
      return { probe: { kind: 'lsp' }, ...USUAL_WAIT };
    case 'service':
      return null;
    default:
      return kind satisfies never;
  }
}

function liveness(live: NonNullable<ServiceSettings['live']>): LivenessProbe {
  return { ...live, probe: probeTarget(live.probe) };
}

function probeTarget(probe: ProbeSetting): ProbeTarget {
  return probe.kind === 'exec' ? { kind: 'exec', command: commandSpec(probe.command, false) } : probe;
}

/*
 * The schema and the model must allow the same values wherever a key has the same name in both; that the rest fits
 * is checked where it is assigned, above. A mismatch is an error of the type checker in the lines below. (Of the
 * signals only some can ask a process to stop.)
 */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;
type SharedKeys<Written, Model> = Exclude<keyof Written & keyof Model, 'command' | 'cwd' | 'dependsOn' | 'stopSignal'>;
type Agree<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : false) : false;
type SameValues<Written, Model> = {
  [Key in SharedKeys<Written, Model>]: Agree<Frozen<NonNullable<Written[Key]>>, Frozen<NonNullable<Model[Key]>>>;
};
type WithoutProbes<T> = Omit<T, 'ready' | 'live' | 'inputs' | 'outputs'>;
const agreement = <T extends Record<string, true>>(_?: T): void => undefined;
agreement<SameValues<WithoutProbes<ServiceSettings>, ServiceConfig>>();
agreement<SameValues<TaskSettings, TaskConfig>>();
