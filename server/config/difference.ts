/** What a saved configuration changes: the ground for applying it to what it concerns and to nothing else. */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceConfig, TaskConfig, WorkspaceConfig } from './model.ts';

export interface EntryChange {
  readonly name: string;
  /** The fields of the model that differ. */
  readonly fields: readonly string[];
}

export interface ConfigDifference {
  readonly added: readonly string[];
  /** A service that has become a task, or the reverse, is both removed and added. */
  readonly removed: readonly string[];
  /** Differs in what the process was started with, so a running one must be started anew. */
  readonly changed: readonly EntryChange[];
  /** Differs only in how it is looked after; taken over while it runs. */
  readonly retuned: readonly EntryChange[];
  readonly unchanged: readonly string[];
  readonly idleGraceChanged: boolean;
}

/** Names are in the order of the new configuration; removed ones in the order of the old. */
export function diffConfig(before: WorkspaceConfig, after: WorkspaceConfig): ConfigDifference {
  const added: string[] = [];
  const changed: EntryChange[] = [];
  const retuned: EntryChange[] = [];
  const unchanged: string[] = [];
  for (const entry of allEntries(after)) {
    const { name } = entry;
    const old = entry.type === 'service' ? before.services.get(name) : before.tasks.get(name);
    if (old === undefined) {
      added.push(name);
      continue;
    }
    const fields = differingFields(old, entry);
    if (fields.length === 0) unchanged.push(name);
    else if (fields.some((field) => NEEDS_NEW_PROCESS[field as keyof Fields])) changed.push({ name, fields });
    else retuned.push({ name, fields });
  }
  const removed = allEntries(before)
    .filter(({ type, name }) => !(type === 'service' ? after.services : after.tasks).has(name))
    .map(({ name }) => name);
  const idleGraceChanged = before.idleGraceMs !== after.idleGraceMs;
  return { added, removed, changed, retuned, unchanged, idleGraceChanged };
}

type Fields = Omit<ServiceConfig & TaskConfig, 'type' | 'name'>;

/** Every field is named, so that a new one cannot be forgotten here. */
const NEEDS_NEW_PROCESS: Readonly<Record<keyof Fields, boolean>> = {
  command: true,
  cwd: true,
  env: true,
  envFiles: true,
  stdin: true,
  kind: true,
  port: true,
  // The host process of a language server is told at its start.
  warm: true,
  dependsOn: false,
  stopSignal: false,
  stopTimeoutMs: false,
  onSupervisorLoss: false,
  onOwnerLoss: false,
  ready: false,
  live: false,
  restart: false,
  memory: false,
  idleStopMs: false,
  enabled: false,
  languages: false,
  inputs: false,
  outputs: false,
  envInputs: false,
  timeoutMs: false,
  retries: false,
  attentionCodes: false,
  cache: false,
  problemMatcher: false,
};

function allEntries(config: WorkspaceConfig): (ServiceConfig | TaskConfig)[] {
  return [...config.services.values(), ...config.tasks.values()];
}

function differingFields(before: ServiceConfig | TaskConfig, after: ServiceConfig | TaskConfig): string[] {
  const old = before as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(after)
    .filter(([field, value]) => !isDeepStrictEqual(value, old[field]))
    .map(([field]) => field);
}
