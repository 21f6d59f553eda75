/** A test workspace with eyes of its own: lock, state and journal are read from their files, not asked of anyone. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { findGuardians } from '../../server/process/guardian.ts';
import { identify, liveness } from '../../server/process/identity.ts';
import { signalProcess } from '../../server/process/signal.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { readGuardianFile } from '../../server/store/guardianFile.ts';
import { lockPath } from '../../server/store/paths.ts';
import { readRegistry } from '../../server/store/registry.ts';
import type { JournalEvent, SupervisorLock, TreeRecord, WorkspaceFile } from '../../server/store/types.ts';
import { until } from './until.ts';
import { marked, TestWorkspace } from './workspace.ts';

/** A service that says `up` at once and runs until it is stopped. */
export const STEADY = { command: ['sh', '-c', 'echo up; exec sleep 1000'], ready: { log: 'up', interval: '20ms' } };
/** As `STEADY`, and deaf to SIGTERM, as is all that it starts. */
export const DEAF = {
  command: ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.2; done'],
  ready: { log: 'up', interval: '20ms' },
};

export class SupervisedWorkspace extends TestWorkspace {
  readonly #seen: ProcessIdentity[] = [];
  #id: string | null = null;
  #stateDir: string | null = null;

  get lock(): SupervisorLock | null {
    const path = lockPath(this.root);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SupervisorLock) : null;
  }

  /** As it was when it was last looked at: the workspace itself may be gone by now. */
  get stateDir(): string {
    const path = join(this.root, '.coppice/workspace.json');
    if (existsSync(path)) {
      const file = JSON.parse(readFileSync(path, 'utf8')) as WorkspaceFile;
      this.#id = file.id;
      this.#stateDir = file.stateDir;
    }
    assert.ok(this.#stateDir !== null, 'there was no supervisor yet');
    return this.#stateDir;
  }

  get events(): JournalEvent[] {
    const lines = readFileSync(join(this.stateDir, 'events.jsonl'), 'utf8').split('\n');
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as JournalEvent];
      } catch {
        return [];
      }
    });
  }

  eventsNamed(event: string): JournalEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  get records(): TreeRecord[] {
    return [...readRegistry(this.stateDir).trees.values()];
  }

  /** `up --detach`, which must succeed; gives the supervisor's identity. */
  async up(...names: string[]): Promise<ProcessIdentity> {
    const end = await this.run('up', '--detach', ...names);
    assert.equal(end.code, 0, end.stderr);
    return this.supervisor();
  }

  /** The living supervisor that the lock names. */
  supervisor(): ProcessIdentity {
    const { lock } = this;
    assert.ok(lock !== null, 'nobody holds the workspace');
    const found = identify(lock.pid);
    assert.ok(found !== null, 'the holder does not live');
    this.#seen.push(found);
    void this.stateDir;
    return found;
  }

  /** Identities of leaders and keepers on record; they are ended at the test's end whatever happens. */
  processes(): ProcessIdentity[] {
    const found = this.records.flatMap(({ tree }) => [tree.leader, ...(tree.keeper === null ? [] : [tree.keeper])]);
    this.#seen.push(...found);
    return found;
  }

  /** The one leader of a service on record. */
  leader(name: string): ProcessIdentity {
    const record = this.records.find((one) => one.name === name);
    assert.ok(record !== undefined, `${name} is not on record`);
    this.#seen.push(record.tree.leader);
    return record.tree.leader;
  }

  /** The living process of a pid that `ps` shows; it is ended at the test's end whatever happens. */
  processOf(pid: number | null): ProcessIdentity {
    const found = pid === null ? null : identify(pid);
    assert.ok(found !== null, `${pid} does not live`);
    this.#seen.push(found);
    return found;
  }

  /** The guardian on record, which must live. */
  guardian(): ProcessIdentity {
    const found = readGuardianFile(this.stateDir)?.guardian ?? null;
    assert.ok(found !== null && liveness(found) === 'alive', 'there is no living guardian');
    this.#seen.push(found);
    return found;
  }

  /** All living guardians of this workspace, by the process table. */
  async guardians(): Promise<ProcessIdentity[]> {
    void this.stateDir;
    return this.#id === null ? [] : findGuardians(this.#id);
  }

  /** The next supervisor after `lost`, which nobody asked for, once it serves. */
  async successorOf(lost: ProcessIdentity, timeoutMs = 10_000): Promise<ProcessIdentity> {
    await until(
      `a successor of ${lost.pid}`,
      () => {
        const { lock } = this;
        return lock !== null && lock.pid !== lost.pid && existsSync(lock.endpoint);
      },
      { timeoutMs, intervalMs: 10 },
    );
    return this.supervisor();
  }

  /** SIGKILL of the supervisor and its guardian, so that no successor comes by itself. */
  async killAll(): Promise<void> {
    const supervisor = this.supervisor();
    const guardian = this.guardian();
    // One that is stopped puts no other in the place of the guardian.
    signal(supervisor, 'SIGSTOP');
    signal(guardian, 'SIGKILL');
    await untilGone([guardian]);
    signal(supervisor, 'SIGKILL');
    await untilGone([supervisor]);
  }

  /** Changes what a dead supervisor has left in its registry. */
  rewriteRegistry(change: (text: string) => string): void {
    for (const name of ['registry.json', 'registry.changes.jsonl']) {
      const path = join(this.stateDir, name);
      if (existsSync(path)) writeFileSync(path, change(readFileSync(path, 'utf8')));
    }
  }

  /** Living processes that carry this workspace's marker. */
  get marked(): { pid: number; command: string }[] {
    void this.stateDir;
    return marked(`${this.#id}/`);
  }

  /** Works without the workspace's folder as well, and takes over from no one: what is left is killed by identity. */
  override async close(): Promise<void> {
    if (this.#stateDir === null && !existsSync(join(this.root, '.coppice/workspace.json'))) {
      rmSync(dirname(this.root), { recursive: true, force: true });
      return;
    }
    const { lock } = this;
    if (lock !== null && liveness(lock) === 'alive') signalProcess(lock, 'SIGCONT');
    if (existsSync(this.root)) await this.run('down');
    for (const identity of this.#seen) if (liveness(identity) === 'alive') signalProcess(identity, 'SIGKILL');
    await untilGone(this.#seen);
    const guardians = (await this.guardians()).map(({ pid }) => ({ pid, command: 'guardian' }));
    const left = [...this.marked, ...guardians];
    for (const { pid } of left) {
      const identity = identify(pid);
      if (identity !== null) signalProcess(identity, 'SIGKILL');
    }
    rmSync(dirname(this.root), { recursive: true, force: true, maxRetries: 3 });
    assert.deepEqual(left, [], `left behind by ${basename(this.root)}`);
  }
}

const open: SupervisedWorkspace[] = [];

export function openWorkspace(config?: unknown): SupervisedWorkspace {
  const workspace = adopt(new SupervisedWorkspace('supervisor'));
  if (config !== undefined) workspace.configure(config);
  return workspace;
}

/** Has `closeWorkspaces` close it with the others. */
export function adopt<T extends SupervisedWorkspace>(workspace: T): T {
  open.push(workspace);
  return workspace;
}

export async function closeWorkspaces(): Promise<void> {
  // The newest first: it may have its state below the folder of an older one.
  for (const workspace of open.splice(0).reverse()) await workspace.close();
}

export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  assert.equal(signalProcess(identity, name), 'delivered', `${name} to ${identity.pid}`);
}

export function isAlive(identity: ProcessIdentity): boolean {
  return liveness(identity) === 'alive';
}

/** By pid and start time. */
export function untilGone(identities: readonly ProcessIdentity[], timeoutMs = 10_000): Promise<true> {
  return until(
    `end of ${identities.map((one) => one.pid).join(', ')}`,
    () => identities.every((one) => !isAlive(one)),
    { timeoutMs, intervalMs: 10 },
  );
}

/** Path to kind, mode, size and time of change of everything below `folder`; `skip` by relative path. */
export function listing(folder: string, skip: (path: string) => boolean = () => false): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    const stat = lstatSync(path, { bigint: true });
    const name = relative(folder, path);
    if (skip(name)) return;
    found[name] = `${stat.mode.toString(8)} ${stat.isDirectory() ? '' : stat.size} ${stat.mtimeNs}`;
    if (stat.isDirectory()) for (const entry of readdirSync(path)) visit(join(path, entry));
  };
  if (existsSync(folder)) visit(realpathSync(folder));
  return found;
}
