import type { ServiceConfig } from '../config/model.ts';
import { readExitRecord } from '../process/exitRecord.ts';
import { bootId } from '../process/identity.ts';
import { readEnvironmentVariable } from '../process/table.ts';
import type { ExitRecord, TreeIdentity } from '../process/types.ts';
import { recall } from '../service/succession.ts';
import { exitRecordPath, logPath } from '../store/paths.ts';
import type { TreeRecord } from '../store/types.ts';

/**
 * Starts of services that may have been under way when their supervisor was killed: what the policy had written down
 * says that an incarnation was to come, and no tree is on record for it. It runs, or it ran, or it was never launched.
 */
export class StartsInFlight {
  readonly #starts = new Map<string, TreeRecord>();
  readonly #configs: ReadonlyMap<string, Pick<ServiceConfig, 'onSupervisorLoss' | 'port'>>;

  constructor(
    stateDir: string,
    records: readonly TreeRecord[],
    services: Readonly<Record<string, unknown>>,
    configs: ReadonlyMap<string, Pick<ServiceConfig, 'onSupervisorLoss' | 'port'>>,
  ) {
    this.#configs = configs;
    const recorded = new Set(records.map((record) => record.key));
    for (const [name, json] of Object.entries(services)) {
      const restored = recorded.has(`service/${name}`) ? null : recall(json);
      if (restored?.keepable !== true) continue;
      const { owners, outputOffset, state } = restored;
      const record = recordOf(stateDir, name, state.incarnation, outputOffset);
      const onSupervisorLoss = configs.get(name)?.onSupervisorLoss ?? 'adopt';
      this.#starts.set(name, { ...record, onSupervisorLoss, owner: owners[0] ?? record.owner });
    }
  }

  /** Where their ends are recorded, if they came to one. */
  get exitRecords(): readonly { readonly exitRecordPath: string }[] {
    return [...this.#starts.values()];
  }

  /** The record of a tree that lives, found by its marker. */
  recordOf(tree: TreeIdentity): TreeRecord | null {
    const parts = tree.marker.split('/');
    const name = parts.slice(1, -2).join('/');
    const start = this.#starts.get(name);
    if (start === undefined || String(start.incarnation) !== parts.at(-2)) return null;
    return { ...start, tree, ports: this.#portsOf(name, tree.leader.pid), startedAt: Date.now() };
  }

  /**
   * Records of those that have ended, to be accounted for like any other end. To be asked after those that live were
   * looked for: whoever ended in between has left its exit record.
   */
  ended(living: readonly TreeRecord[]): TreeRecord[] {
    const alive = new Set(living.map((record) => record.key));
    return [...this.#starts.values()].flatMap((start) => {
      const exit = alive.has(start.key) ? null : readQuietly(start.exitRecordPath);
      if (exit === null) return [];
      const { pid, at } = exit;
      // Nothing but what starts with the machine has this start time: nobody can be taken for the leader.
      const leader = { pid, startTime: '0', bootId: bootId() };
      const tree = { leader, keeper: null, group: pid, session: pid, marker: start.exitRecordPath };
      return { ...start, tree, startedAt: at };
    });
  }

  /** The port that its start was given stands in its environment, and nowhere else yet. */
  #portsOf(name: string, pid: number): readonly number[] {
    if ((this.#configs.get(name)?.port ?? null) === null) return [];
    const port = Number(readEnvironmentVariable(pid, 'PORT'));
    return Number.isSafeInteger(port) && port > 0 && port <= 65_535 ? [port] : [];
  }
}

/** All but the tree. */
function recordOf(stateDir: string, name: string, incarnation: number, outputOffset: number): TreeRecord {
  const key = `service/${name}`;
  const nobody = { pid: 0, startTime: '', bootId: '' };
  return {
    key,
    name,
    role: 'service',
    incarnation,
    tree: { leader: nobody, keeper: null, group: 0, session: 0, marker: '' },
    owner: { kind: 'configuration' },
    onSupervisorLoss: 'adopt',
    logPath: logPath(stateDir, name),
    outputOffset,
    exitRecordPath: exitRecordPath(stateDir, key, incarnation),
    ports: [],
    startedAt: 0,
    readyAt: null,
    environment: [],
    lineage: [],
  };
}

function readQuietly(path: string): ExitRecord | null {
  try {
    const exit = readExitRecord(path);
    return exit === 'corrupt' ? null : exit;
  } catch {
    return null;
  }
}
