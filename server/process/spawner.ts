/**
 * The spawner: a tiny process that forks keepers in place of this one. Linux copies the page tables of whoever forks,
 * which blocks a Node process of 70 MB for 1.4 ms a start and the spawner for a tenth of that, in parallel to us.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type Deferred, deferred } from './deferred.ts';
import { watchExitRecord } from './exitRecord.ts';
import { type KeeperReport, parseKeeperReport } from './keeper.ts';
import { type ErrorReport, type StartedReport, statusAfterKeeper, treeUnderKeeper } from './keeperChannel.ts';
import { errorCode, isResourceError } from './launchFailure.ts';
import { encodeRequest } from './spawnerRequest.ts';
import { isDead, readProcessTable, readProcessTableAsync } from './table.ts';
import type { ExitStatus, LaunchRequest, TreeIdentity } from './types.ts';

export type SpawnerAnswer =
  | {
      readonly kind: 'started';
      readonly identity: TreeIdentity;
      readonly exited: Promise<ExitStatus>;
      readonly emptied: Promise<boolean>;
    }
  | { readonly kind: 'error'; readonly report: ErrorReport }
  /** The keeper ended before its first word; `null` when nobody knows how, and the program may run. */
  | { readonly kind: 'dead'; readonly status: ExitStatus | null }
  /** Nothing was started: no spawner can be had here, or it cannot take this request. */
  | { readonly kind: 'unavailable' };

/** Starts a tree under a native keeper through the spawner of this process, which is started when there is none. */
export async function launchThroughSpawner(path: string, request: LaunchRequest): Promise<SpawnerAnswer> {
  // One that was killed took nothing with it but what it had not read; a second one in a row has a reason.
  for (let attempt = 0; attempt < 2; attempt++) {
    const spawner = spawnerFor(path);
    const answer = await spawner?.start(request);
    if (answer === undefined) break;
    if (answer !== 'lost') return answer;
  }
  return { kind: 'unavailable' };
}

/** Starts the spawner, so that the first launch need not wait for it. */
export function warmUpSpawner(path: string): void {
  spawnerFor(path);
}

interface Entry {
  readonly request: LaunchRequest;
  readonly first: Deferred<SpawnerAnswer | 'lost'>;
  readonly exited: Deferred<ExitStatus>;
  readonly emptied: Deferred<boolean>;
  identity: TreeIdentity | null;
  /** Its keeper told how the leader ended. */
  told: boolean;
}

/** A keeper may be held up by a slow disk; its launch is then given up, since it can be neither found nor repeated. */
const HELD_UP_MS = 5000;
const LOOK_AGAIN_MS = 5;
const STOPPED_CHECK_MS = 2000;
const HIGHEST_NUMBER = 0xffff_ffff;

let current: Spawner | null = null;
/** Files that are no spawner here; asked once in the life of the process. */
const broken = new Set<string>();

function spawnerFor(path: string): Spawner | null {
  if (current?.path === path && current.alive) return current;
  if (broken.has(path)) return null;
  const started = startSpawner(path);
  if (started === null) return null;
  current = new Spawner(path, started.child, started.pid);
  return current;
}

function startSpawner(path: string): { readonly child: ChildProcess; readonly pid: number } | null {
  try {
    const child = spawn(path, ['--spawner'], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', (error) => {
      if (!isResourceError(errorCode(error))) broken.add(path);
    });
    return child.pid === undefined ? null : { child, pid: child.pid };
  } catch {
    return null;
  }
}

class Spawner {
  readonly path: string;
  alive = true;
  readonly #child: ChildProcess;
  readonly #channel: Socket;
  readonly #pid: number;
  readonly #entries = new Map<number, Entry>();
  #ready = false;
  #number = 0;
  #waiting = 0;
  #pending = '';

  constructor(path: string, child: ChildProcess, pid: number) {
    this.path = path;
    this.#child = child;
    this.#pid = pid;
    this.#channel = child.stdio[3] as Socket;
    this.#channel.setEncoding('latin1');
    this.#channel.on('data', (text) => this.#hear(String(text)));
    // Its end shows as the end of the child; keepers hold the channel open beyond that.
    this.#channel.on('error', () => {});
    child.once('exit', () => void this.#succumb());
    this.#hold();
  }

  /** `lost`: it was killed before it read the request. `undefined`: it cannot take this one. */
  async start(request: LaunchRequest): Promise<SpawnerAnswer | 'lost' | undefined> {
    const number = this.#nextNumber();
    const bytes = encodeRequest(number, request);
    if (bytes === null) return undefined;
    const entry: Entry = {
      request,
      first: deferred(),
      exited: deferred(),
      emptied: deferred(),
      identity: null,
      told: false,
    };
    this.#entries.set(number, entry);
    this.#waiting++;
    this.#hold();
    const timer = setInterval(() => this.#endWhenStopped(), STOPPED_CHECK_MS);
    try {
      this.#channel.write(bytes);
      return await entry.first.promise;
    } finally {
      clearInterval(timer);
      this.#waiting--;
      this.#hold();
    }
  }

  /** SIGSTOP is the one thing that makes it wait without end; launches must not. Its trees live on without it. */
  #endWhenStopped(): void {
    try {
      if (readProcessTable().rows.get(this.#pid)?.state.startsWith('T')) this.#child.kill('SIGKILL');
    } catch {
      // No file handle may be left for the moment.
    }
  }

  #nextNumber(): number {
    do this.#number = this.#number === HIGHEST_NUMBER ? 1 : this.#number + 1;
    while (this.#entries.has(this.#number));
    return this.#number;
  }

  /** Trees hold no event loop open, launches that are under way do. */
  #hold(): void {
    // A socket that is gone keeps whoever refers to it for a connection that never comes.
    if (this.#channel.destroyed) return;
    if (this.#waiting > 0) {
      this.#channel.ref();
      this.#child.ref();
    } else {
      this.#channel.unref();
      this.#child.unref();
    }
  }

  #hear(text: string): void {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') this.#ready = true;
      const [, number, rest] = /^(\d+) (.+)$/.exec(line) ?? [];
      const entry = this.#entries.get(Number(number));
      const report = entry === undefined || rest === undefined ? null : parseKeeperReport(rest);
      if (entry !== undefined && report !== null) this.#take(Number(number), entry, report);
    }
  }

  #take(number: number, entry: Entry, report: KeeperReport): void {
    switch (report.kind) {
      case 'started':
        this.#welcome(entry, report);
        return;
      case 'error':
        entry.first.resolve({ kind: 'error', report });
        return;
      case 'exited':
        entry.told = true;
        entry.exited.resolve(report.status);
        // Nobody is left to tell of the keeper's end.
        if (!this.alive) this.#entries.delete(number);
        return;
      case 'ended':
        this.#entries.delete(number);
        entry.emptied.resolve(report.status.code === 0);
        entry.first.resolve({ kind: 'dead', status: report.status });
        if (entry.identity === null || entry.told) return;
        entry.exited.resolve(statusAfterKeeper(entry.request, entry.identity.leader));
        return;
      default:
        report satisfies never;
    }
  }

  #welcome(entry: Entry, report: StartedReport): void {
    entry.identity = treeUnderKeeper(report.keeperPid ?? 0, report, entry.request.marker);
    const { identity, exited, emptied } = entry;
    entry.first.resolve({ kind: 'started', identity, exited: exited.promise, emptied: emptied.promise });
  }

  /**
   * It was killed. Until its first report is sent a keeper stays in the spawner's session: once that is empty, all
   * that was begun has been reported, and what was not reported was not begun and can be begun anew.
   */
  async #succumb(): Promise<void> {
    this.alive = false;
    const proven = await this.#untilSessionIsEmpty();
    // The reports are in the socket; a whole turn of the loop reads them.
    for (let turns = 0; turns < 3; turns++) await turn();
    if (!this.#ready) broken.add(this.path);
    for (const [number, entry] of this.#entries) {
      // Of the ends of keepers it alone heard.
      entry.emptied.resolve(false);
      if (entry.identity !== null && !entry.told) {
        this.#watch(entry);
        continue;
      }
      this.#entries.delete(number);
      entry.first.resolve(proven ? 'lost' : { kind: 'dead', status: null });
    }
  }

  async #untilSessionIsEmpty(): Promise<boolean> {
    const deadline = performance.now() + HELD_UP_MS;
    for (;;) {
      try {
        const { rows } = await readProcessTableAsync();
        const held = [...rows.values()].some((row) => row.session === this.#pid && !isDead(row));
        if (!held) return true;
      } catch {
        // No file handle may be left for the moment.
      }
      if (performance.now() > deadline) return false;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** The keeper still reports how its leader ends; that it was killed itself nobody reports any more. */
  #watch({ request, identity, exited }: Entry): void {
    if (identity === null) return;
    const stop = new AbortController();
    void watchExitRecord(request.exitRecordPath, identity, { signal: stop.signal }).then(exited.resolve);
    void exited.promise.then(() => stop.abort());
  }
}
