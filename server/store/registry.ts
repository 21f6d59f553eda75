import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { AppendFile } from './appendFile.ts';
import { writeFileAtomic, writeFileAtomicSync } from './atomic.ts';
import type { WriteResult } from './ioFailure.ts';
import { leftoverKey } from './leftover.ts';
import {
  applyIntent,
  type RegistryContent,
  type RegistryFinding,
  readRegistry,
  registryFiles,
} from './registryFile.ts';
import type { TreeRecord } from './types.ts';

export { type RegistryContent, type RegistryFinding, readRegistry } from './registryFile.ts';

export interface RegistryOptions {
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  /** Called before each write; may `abandon` the registry. */
  readonly beforeWrite?: () => void;
  /** Told how each write of each of its files, by name, went; what failed is tried again until it works. */
  readonly onWrite?: (file: string, result: WriteResult) => void;
  /** Changes within this time share one write of the whole file. */
  readonly debounceMs?: number;
}

export interface OpenedRegistry {
  readonly registry: Registry;
  /** What an earlier supervisor left and could not be understood. */
  readonly findings: readonly RegistryFinding[];
}

/** Opens the registry of a claimed workspace, with what an earlier supervisor left in it. Never fails. */
export function openRegistry(stateDir: string, options: RegistryOptions): OpenedRegistry {
  const content = readRegistry(stateDir, { setAside: true });
  return { registry: new Registry(stateDir, content, options), findings: content.findings };
}

/**
 * Every live tree of the workspace, in memory and on the disk.
 *
 * `registerNow`, `unregister`, intent and the accounting of services are on the disk when they return, as a line appended
 * to the file of changes: 30 µs, whatever the number of trees. It is not flushed: it outlives the supervisor, and a loss of power ends the trees
 * themselves. `register` and `update` are there after the next write of the whole file, at most `debounceMs` later or,
 * when writing is slow, after ten times what a write takes, so that it never uses more than a tenth of the time.
 */
export class Registry {
  readonly #file: string;
  readonly #changesFile: string;
  readonly #changes: AppendFile;
  readonly #options: RegistryOptions;
  readonly #trees = new Map<string, Entry>();
  readonly #services: Map<string, unknown>;
  readonly #intent: Map<string, unknown>;
  #change: number;
  /** Grows with everything that the whole file does not hold yet. */
  #version = 0;
  #written = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<WriteResult> | null = null;
  #pauseMs: number;
  #failing = false;
  #closed = false;

  constructor(stateDir: string, content: RegistryContent, options: RegistryOptions) {
    const files = registryFiles(stateDir);
    this.#file = files.whole;
    this.#changesFile = files.changes;
    this.#changes = new AppendFile(files.changes);
    this.#options = options;
    this.#pauseMs = this.#debounceMs;
    this.#change = content.change;
    this.#services = new Map(Object.entries(content.services));
    this.#intent = new Map(Object.entries(content.intent));
    for (const record of content.trees.values()) this.#trees.set(record.key, entryOf(record));
    this.#touch();
  }

  /** All records, in a list of its own: whoever goes through it may unregister as he goes (R79). */
  records(): TreeRecord[] {
    return [...this.#trees.values()].map((entry) => entry.record);
  }

  get(key: string): TreeRecord | null {
    return this.#trees.get(key)?.record ?? null;
  }

  /** Enters a tree and returns when a successor would find it. A failure is retried; the tree is entered all the same. */
  registerNow(record: TreeRecord): WriteResult {
    if (this.#closed) return { ok: true };
    this.#keepLeftover(record);
    const entry = entryOf(record);
    this.#trees.set(record.key, entry);
    return this.#append(`"set":${entry.json}`);
  }

  /** Enters a tree with the next write. */
  register(record: TreeRecord): void {
    if (this.#closed) return;
    this.#keepLeftover(record);
    this.#trees.set(record.key, entryOf(record));
    this.#touch();
  }

  /** Replaces the record of the same start, at once where readiness or owner changed. False when that start is not registered: its end was quicker. */
  update(record: TreeRecord): boolean {
    const current = this.#trees.get(record.key);
    if (this.#closed || current === undefined || current.record.tree.marker !== record.tree.marker) return false;
    const entry = entryOf(record);
    if (entry.json === current.json) return true;
    this.#trees.set(record.key, entry);
    // What a successor shows and decides by; members that the census found may wait.
    const { readyAt, owner } = current.record;
    if (record.readyAt !== readyAt || record.owner !== owner) this.#append(`"set":${entry.json}`);
    else this.#touch();
    return true;
  }

  /** Forgets a tree, for good when it returns. False when it was not there, which is harmless (R82). */
  unregister(key: string): boolean {
    if (this.#closed || !this.#trees.delete(key)) return false;
    this.#append(`"remove":${JSON.stringify(key)}`);
    return true;
  }

  /**
   * Puts a tree out of the way of the next start under its key; it is looked at until it is gone. Under both keys for a
   * moment, so that a supervisor that is killed in between loses none.
   */
  setAside(key: string): void {
    const record = this.#trees.get(key)?.record;
    if (this.#closed || record === undefined || leftoverKey(key, record.tree.marker) === key) return;
    const entry = entryOf({ ...record, key: leftoverKey(key, record.tree.marker) });
    this.#trees.set(entry.record.key, entry);
    this.#append(`"set":${entry.json}`);
    this.unregister(key);
  }

  /** What a successor must know of a service's restart accounting. It is on the disk when this returns. */
  setService(name: string, value: unknown): void {
    if (this.#closed) return;
    this.#services.set(name, value);
    this.#append(`"service":${JSON.stringify(name)},"value":${JSON.stringify(value)}`);
  }

  removeService(name: string): void {
    if (!this.#closed && this.#services.delete(name)) this.#append(`"service":${JSON.stringify(name)}`);
  }

  services(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#services);
  }

  /** Changes what was asked for and is not done yet, a part each (`null`: it is over). It is on the disk when this returns. */
  setIntent(changes: Readonly<Record<string, unknown>>): void {
    if (this.#closed) return;
    applyIntent(this.#intent, changes);
    this.#append(`"intent":${JSON.stringify(changes)}`);
  }

  intent(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#intent);
  }

  /** Resolves when all that was entered before is in the whole file and on the disk. */
  async flush(): Promise<WriteResult> {
    const wanted = this.#version;
    while (this.#written < wanted && !this.#closed) {
      const result = await (this.#writing ?? this.#write());
      if (!result.ok) return result;
    }
    return { ok: true };
  }

  /** Has the file written anew where somebody has removed it, if its folder is still there. */
  restoreFile(): void {
    if (!this.#closed && !existsSync(this.#file) && existsSync(dirname(this.#file))) this.#touch();
  }

  /** Writes nothing any more, not even what is not written yet: the files are another's. */
  abandon(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#changes.close();
  }

  /** Writes what is not written yet, and nothing ever after: one that is under way is dropped before it is in place. */
  close(): WriteResult {
    if (this.#closed) return { ok: true };
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    let result: WriteResult = { ok: true };
    if (this.#written < this.#version) {
      result = writeFileAtomicSync(this.#file, this.#text());
      if (result.ok) this.#changes.clear();
    }
    this.#changes.close();
    return result;
  }

  get #debounceMs(): number {
    return this.#options.debounceMs ?? 50;
  }

  /** What an earlier start under the same key left is not forgotten: it is looked at until it is gone. */
  #keepLeftover({ key, tree }: TreeRecord): void {
    const earlier = this.#trees.get(key)?.record;
    if (earlier === undefined || earlier.tree.marker === tree.marker) return;
    const entry = entryOf({ ...earlier, key: leftoverKey(key, earlier.tree.marker) });
    this.#trees.set(entry.record.key, entry);
    this.#append(`"set":${entry.json}`);
  }

  #append(field: string): WriteResult {
    this.#options.beforeWrite?.();
    if (this.#closed) return { ok: true };
    this.#change += 1;
    const result = this.#changes.append(`{"change":${this.#change},${field}}`);
    this.#tell(this.#changesFile, result);
    this.#touch();
    return result;
  }

  #touch(): void {
    this.#version += 1;
    this.#schedule(this.#pauseMs);
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null || this.#writing !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#write();
    }, delayMs);
    // The supervisor's end writes what is left; this timer must not keep it from ending.
    this.#timer.unref();
  }

  #write(): Promise<WriteResult> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writeNow().finally(() => {
      this.#writing = null;
      if (this.#written < this.#version) this.#schedule(this.#failing ? RETRY_MS : this.#pauseMs);
    });
    return this.#writing;
  }

  async #writeNow(): Promise<WriteResult> {
    this.#options.beforeWrite?.();
    if (this.#closed) return { ok: true };
    const began = performance.now();
    const version = this.#version;
    const change = this.#change;
    const result = await writeFileAtomic(this.#file, this.#text(), { stillWanted: () => !this.#closed });
    if (this.#closed) return result;
    this.#failing = !result.ok;
    this.#tell(this.#file, result);
    if (result.ok) {
      // What the changes could not take is in here.
      this.#tell(this.#changesFile, result);
      this.#written = version;
      if (this.#change === change) this.#changes.clear();
      else if (this.#changes.size > MOST_CHANGES_BYTES) this.#compact();
    }
    this.#pauseMs = Math.max(this.#debounceMs, 10 * (performance.now() - began));
    return result;
  }

  /** Changes that never pause for as long as a write takes would let their file grow without end. */
  #compact(): void {
    if (writeFileAtomicSync(this.#file, this.#text(), { durable: false }).ok) this.#changes.clear();
  }

  #text(): string {
    const head = { version: 1, changes: this.#change, supervisor: this.#options.supervisor };
    const trees = [...this.#trees.values()].map((entry) => entry.json).join(',\n');
    const services = JSON.stringify(Object.fromEntries(this.#services));
    const intent = JSON.stringify(Object.fromEntries(this.#intent));
    return `${JSON.stringify(head).slice(0, -1)},"services":${services},"intent":${intent},"trees":[\n${trees}\n]}\n`;
  }

  #tell(path: string, result: WriteResult): void {
    this.#options.onWrite?.(basename(path), result);
  }
}

interface Entry {
  readonly record: TreeRecord;
  /** Kept, so that a write of a thousand trees costs a joining of texts. */
  readonly json: string;
}

const RETRY_MS = 1000;
const MOST_CHANGES_BYTES = 4 * 1024 * 1024;

function entryOf(record: TreeRecord): Entry {
  return { record, json: JSON.stringify(record) };
}
