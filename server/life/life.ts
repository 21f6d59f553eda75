import { statSync } from 'node:fs';
import { ChangeFeed } from '../api/changes.ts';
import { createHandlers } from '../api/handlers.ts';
import type { DownResult, StatusResult } from '../api/protocol.ts';
import { ApiServer } from '../api/server.ts';
import { readStatus } from '../api/status.ts';
import { describeProof } from '../process/describe.ts';
import type { Claim } from '../store/claim.ts';
import type { Journal } from '../store/journal.ts';
import { readLockFile } from '../store/lockFile.ts';
import { lockPath } from '../store/paths.ts';
import type { Registry } from '../store/registry.ts';
import type { StoppedTree, Supervisor } from '../supervisor.ts';
import { watchConfiguration } from './configWatch.ts';
import { ExitCode } from './exitCode.ts';
import { HeartbeatTimer } from './heartbeatTimer.ts';
import { IdleGrace } from './idle.ts';
import { say } from './ownLog.ts';
import { reloadConfiguration } from './reload.ts';
import { rotateLogs } from './rotation.ts';
import type { EndListener } from './signals.ts';

/** How often the claim and the workspace itself are looked at. */
const CLAIM_PERIOD_MS = 2_000;
/** How often memory is measured while somebody watches. */
const MEMORY_PERIOD_MS = 2_000;
/** How often the logs of what runs are looked at for their size. */
const ROTATION_PERIOD_MS = 15_000;

export interface LifeParts {
  readonly supervisor: Supervisor;
  readonly claim: Claim;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly version: string;
  readonly endListener: EndListener;
}

/** Why a supervisor ends; each has one exit code and its own way with the trees. */
type End =
  | { readonly kind: 'asked'; readonly by: 'SIGTERM' | 'SIGINT' | 'client' | 'idle' }
  | { readonly kind: 'lock_lost' }
  | { readonly kind: 'workspace_gone' }
  | { readonly kind: 'fault'; readonly fault: string; readonly error: unknown };

/** A supervisor that serves: from the bound endpoint to the released lock. */
export class SupervisorLife {
  readonly #parts: LifeParts;
  readonly #server: ApiServer;
  readonly #feed: ChangeFeed;
  readonly #heartbeat: HeartbeatTimer;
  readonly #grace: IdleGrace;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #undo: (() => void)[] = [];
  #takenOver: Promise<void> = Promise.resolve();
  #ending: Promise<readonly StoppedTree[]> | null = null;
  #resolveEnd: (code: number) => void = () => {};
  /** The exit code, once everything is released. */
  readonly ended: Promise<number>;

  constructor(parts: LifeParts) {
    this.#parts = parts;
    const { supervisor, claim } = parts;
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.#heartbeat = new HeartbeatTimer(supervisor, claim);
    this.#feed = new ChangeFeed(
      () => this.#status(),
      (changes) => {
        for (const connection of this.#server.connections)
          if (connection.subscribed) connection.notify('changed', changes);
      },
    );
    const handle = createHandlers({
      supervisor,
      version: parts.version,
      status: () => this.#status(),
      reload: () => this.#reload(),
      down: async (): Promise<DownResult> => ({ trees: await this.#end({ kind: 'asked', by: 'client' }) }),
    });
    this.#grace = new IdleGrace(supervisor.config.idleGraceMs, { onGraceOver: () => void this.#nobodyIsThere() });
    this.#server = new ApiServer(handle, (count) => this.#grace.clients(count));
  }

  /**
   * Serves once what an earlier supervisor left is taken over; until then it beats and can be asked to end. Rejects
   * when the endpoint cannot be bound.
   */
  async begin(takenOver: Promise<void>): Promise<void> {
    const { supervisor, claim, endListener } = this.#parts;
    this.#takenOver = takenOver;
    this.#heartbeat.start();
    endListener.attach({
      onStop: (signal) => void this.#end({ kind: 'asked', by: signal }),
      onRepeat: (signal) => say(`${signal} again: already stopping`),
      onFault: (fault, error) => void this.#end({ kind: 'fault', fault, error }),
    });
    await takenOver;
    if (this.#ending !== null) return;
    await this.#server.listen(claim.lock.endpoint);
    this.#undo.push(watchConfiguration(supervisor.host.root, () => void this.#reload()));
    this.#every(CLAIM_PERIOD_MS, () => this.#checkClaim());
    this.#every(MEMORY_PERIOD_MS, () => void this.#showMemory());
    this.#every(ROTATION_PERIOD_MS, () => void rotateLogs(supervisor));
  }

  /** A service or run changed; subscribers hear of it. */
  changed(): void {
    this.#feed.touch();
  }

  async #showMemory(): Promise<void> {
    if (![...this.#server.connections].some((connection) => connection.subscribed)) return;
    await this.#parts.supervisor.refreshMemory();
    this.#feed.touch();
  }

  #status(): StatusResult {
    return readStatus(this.#parts.supervisor, this.#parts.claim.lock, this.#heartbeat.last);
  }

  async #reload(): ReturnType<typeof reloadConfiguration> {
    const result = await reloadConfiguration(this.#parts.supervisor);
    if (result.ok) this.#grace.retune(this.#parts.supervisor.config.idleGraceMs);
    return result;
  }

  /** Sessions that had a whole grace to come back are over; with nothing left running there is nothing to do here. */
  async #nobodyIsThere(): Promise<void> {
    const { supervisor } = this.#parts;
    const reaped = await supervisor.reap((owner) => owner.kind === 'session');
    if (reaped.length > 0)
      supervisor.host.journal('session_reaped', { session: null, trees: reaped.map((one) => one.name) });
    if (!supervisor.busy && this.#server.connections.size === 0) await this.#end({ kind: 'asked', by: 'idle' });
  }

  #checkClaim(): void {
    const { supervisor, claim } = this.#parts;
    if (this.#ending !== null) return;
    if (statSync(supervisor.host.root, { throwIfNoEntry: false }) === undefined) {
      void this.#end({ kind: 'workspace_gone' });
      return;
    }
    const verdict = claim.verify();
    switch (verdict) {
      case 'ours':
        return;
      case 'deleted': {
        const again = claim.reclaim();
        // Another folder lies at the same path by now, as after `rm -r` and a fresh clone: it is not ours.
        if (!again.ok && 'failure' in again && again.failure.reason === 'workspace_gone') {
          void this.#end({ kind: 'workspace_gone' });
          return;
        }
        supervisor.host.journal('lock_reclaimed', { ok: again.ok });
        return;
      }
      case 'stolen':
        void this.#end({ kind: 'lock_lost' });
        return;
      default:
        verdict satisfies never;
    }
  }

  /** Who has the workspace instead. */
  #holder(): { readonly pid: number; readonly host: string } | null {
    const file = readLockFile(lockPath(this.#parts.supervisor.host.root));
    return file.kind === 'lock' ? { pid: file.lock.pid, host: file.lock.hostname } : null;
  }

  /** The one way out, taken once; a second call waits for the first. */
  #end(end: End): Promise<readonly StoppedTree[]> {
    this.#ending ??= this.#leave(end);
    return this.#ending;
  }

  async #leave(end: End): Promise<readonly StoppedTree[]> {
    const { supervisor, journal } = this.#parts;
    if (end.kind === 'lock_lost') journal.append('lock_lost', { ...this.#holder() });
    journal.append('supervisor_stopping', { why: end.kind, ...(end.kind === 'asked' ? { by: end.by } : {}) });
    for (const timer of this.#timers) clearInterval(timer);
    this.#grace.stop();
    let trees: readonly StoppedTree[] = [];
    if (end.kind === 'fault') {
      const text = end.error instanceof Error ? (end.error.stack ?? end.error.message) : String(end.error);
      say(`${end.fault}: ${text}`);
      journal.append('supervisor_fault', { fault: end.fault, message: text.split('\n')[0] ?? '' });
    } else {
      // What an earlier supervisor left is ended or adopted by then, and so is drained with the rest.
      await this.#takenOver;
      trees = await supervisor.drain();
      for (const { name, proof } of trees) say(`${name}: ${describeProof(proof)}`);
    }
    const code = exitCodeOf(end);
    journal.append('supervisor_stopped', { why: end.kind, code, trees: trees.length });
    void this.#release(end, code);
    return trees;
  }

  async #release(end: End, code: number): Promise<void> {
    const { claim, journal, registry } = this.#parts;
    this.#feed.stop();
    this.#heartbeat.stop();
    for (const undo of this.#undo) undo();
    await this.#server.close();
    // Whoever stopped everything begins anew next time; budgets go on only after a supervisor that was lost.
    if (end.kind === 'asked') for (const name of Object.keys(registry.services())) registry.removeService(name);
    registry.close();
    journal.close();
    if (end.kind !== 'lock_lost' && end.kind !== 'fault') claim.release();
    this.#resolveEnd(code);
  }

  #every(periodMs: number, act: () => void): void {
    const timer = setInterval(act, periodMs);
    timer.unref();
    this.#timers.push(timer);
  }
}

function exitCodeOf(end: End): number {
  switch (end.kind) {
    case 'asked':
      return end.by === 'SIGTERM' ? ExitCode.terminated : end.by === 'SIGINT' ? ExitCode.interrupted : ExitCode.done;
    case 'lock_lost':
      return ExitCode.lockLost;
    case 'workspace_gone':
      return ExitCode.done;
    case 'fault':
      return ExitCode.failed;
    default:
      return end satisfies never;
  }
}
