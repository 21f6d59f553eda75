import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeFeed } from '../api/changes.ts';
import { createHandlers } from '../api/handlers.ts';
import type { DownResult, StatusResult } from '../api/protocol.ts';
import { ApiServer } from '../api/server.ts';
import { readStatus } from '../api/status.ts';
import { describeProof } from '../process/describe.ts';
import { sealFolder } from '../process/disk.ts';
import { type Reconciler, ROUND_PERIOD_MS } from '../reconcile/reconciler.ts';
import type { Claim } from '../store/claim.ts';
import type { Journal } from '../store/journal.ts';
import type { Registry } from '../store/registry.ts';
import type { Supervisor } from '../supervisor.ts';
import type { ReapedTree } from '../task/holdings.ts';
import type { Loss } from './claimLoss.ts';
import type { ClaimWatch } from './claimWatch.ts';
import { watchConfiguration } from './configWatch.ts';
import { ExitCode } from './exitCode.ts';
import type { SupervisorGuardian } from './guardian.ts';
import { HeartbeatTimer } from './heartbeatTimer.ts';
import { TIDY_PERIOD_MS, tidyState } from './housekeeping.ts';
import { IdleGrace } from './idle.ts';
import { RETURN_MS } from './leases.ts';
import { say, tellStarter } from './ownLog.ts';
import { keepReachable, REACH_PERIOD_MS } from './reach.ts';
import { reloadConfiguration } from './reload.ts';
import { rotateLogs } from './rotation.ts';
import { Sessions } from './sessions.ts';
import type { EndListener } from './signals.ts';

/** How often memory is measured while somebody watches. */
const MEMORY_PERIOD_MS = 2_000;
/** How long a change of the configuration that came with the succession may hold up the first answer. */
const APPLY_PATIENCE_MS = 1_000;
/** How often it is made sure that every session which something belongs to has a lease. */
const LEASE_PERIOD_MS = 30_000;
/** How often the logs of what runs are looked at for their size. */
const ROTATION_PERIOD_MS = 15_000;

export interface LifeParts {
  readonly supervisor: Supervisor;
  readonly claim: Claim;
  readonly claimWatch: ClaimWatch;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly version: string;
  readonly endListener: EndListener;
  /** It was started because the supervisor before was lost, and by nobody who wants anything of it. */
  readonly successor?: boolean;
  readonly guardian: SupervisorGuardian;
  /** Its configuration is the one that was in force before; what the workspace has is still to be applied. */
  readonly kept?: boolean;
  readonly reconciler?: Reconciler;
  readonly roundPeriodMs?: number;
  /** Ends the process at once; for tests. */
  readonly exit?: (code: number) => void;
}

const ASKED_BY = ['SIGTERM', 'SIGINT', 'client', 'idle'] as const;
type AskedBy = (typeof ASKED_BY)[number];

/** Why a supervisor ends; each has one exit code and its own way with the trees. */
type End =
  | { readonly kind: 'asked'; readonly by: AskedBy }
  | { readonly kind: 'lock_lost' }
  | { readonly kind: 'workspace_gone' }
  /** Nobody could reach it. */
  | { readonly kind: 'cannot_serve'; readonly error: Error };

/** A supervisor that serves: from the bound endpoint to the released lock. */
export class SupervisorLife {
  readonly #parts: LifeParts;
  readonly #server: ApiServer;
  readonly #feed: ChangeFeed;
  readonly #heartbeat: HeartbeatTimer;
  readonly #grace: IdleGrace;
  readonly #sessions: Sessions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #undo: (() => void)[] = [];
  #takenOver: Promise<void> = Promise.resolve();
  /** Something went wrong that must not go on unseen: the exit code says so, however it ends. */
  #faulty = false;
  #ending: Promise<readonly ReapedTree[]> | null = null;
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
    this.#feed = new ChangeFeed({
      wanted: () => this.#isWatched,
      read: () => this.#status(),
      send: (changes) => {
        for (const connection of this.#server.connections)
          if (connection.subscribed) connection.notify('changed', changes);
      },
    });
    const handle = createHandlers({
      supervisor,
      version: parts.version,
      status: () => this.#status(),
      subscribed: () => {
        const status = this.#status();
        this.#feed.told(status);
        return status;
      },
      reload: () => this.#reload(),
      sessions: () => this.#sessions,
      down: async (): Promise<DownResult> => ({ trees: await this.#end({ kind: 'asked', by: 'client' }) }),
    });
    this.#grace = new IdleGrace(supervisor.config.idleGraceMs, { onGraceOver: () => this.#endIfIdle() });
    this.#sessions = new Sessions({
      host: supervisor.host,
      holdings: supervisor.holdings,
      graceMs: supervisor.config.idleGraceMs,
      onReaped: () => this.#endIfIdle(),
    });
    this.#server = new ApiServer(handle, (count) => this.#grace.clients(count));
  }

  /**
   * Serves once what an earlier supervisor left is taken over; until then it beats and can be asked to end. When the
   * endpoint cannot be bound it ends, and what runs is left to the next one.
   */
  async begin(takenOver: Promise<void>): Promise<void> {
    const { supervisor, claim, endListener } = this.#parts;
    this.#takenOver = takenOver;
    this.#heartbeat.start();
    this.#watchClaim();
    endListener.attach({
      onStop: (signal) => void this.#end({ kind: 'asked', by: signal }),
      onRepeat: (signal) => say(`${signal} again: already stopping`),
      onFault: (fault, error) => this.#fault(fault, error),
    });
    await takenOver;
    if (this.#ending !== null) return;
    const drainBy = ASKED_BY.find((one) => one === supervisor.intent.drainBy) ?? null;
    // Somebody started this one on purpose since.
    if (drainBy !== null && this.#parts.successor !== true) await supervisor.finishDrain();
    if (this.#ending !== null) return;
    await this.#followConfiguration();
    try {
      await this.#server.listen(claim.lock.endpoint);
    } catch (error) {
      void this.#end({ kind: 'cannot_serve', error: error as Error });
      return;
    }
    this.#grace.begin(RETURN_MS);
    this.#sessions.begin();
    this.#every(REACH_PERIOD_MS, () => void keepReachable(this.#server, supervisor.host, claim.lock.endpoint));
    this.#every(MEMORY_PERIOD_MS, () => void this.#showMemory());
    this.#every(ROTATION_PERIOD_MS, () => void rotateLogs(supervisor));
    this.#every(TIDY_PERIOD_MS, () => tidyState(supervisor));
    const { reconciler, roundPeriodMs = ROUND_PERIOD_MS } = this.#parts;
    this.#every(roundPeriodMs, () => void reconciler?.round());
    this.#every(LEASE_PERIOD_MS, () => this.#sessions.check());
    tidyState(supervisor);
    if (drainBy !== null && this.#parts.successor === true) void this.#end({ kind: 'asked', by: drainBy });
  }

  /** What was kept from the supervisor before is brought up to date first, so that nobody is answered by the old one. */
  async #followConfiguration(): Promise<void> {
    const { supervisor, kept } = this.#parts;
    let begun: Promise<unknown> = Promise.resolve();
    const changed = (): void => {
      begun = this.#reload();
    };
    this.#undo.push(watchConfiguration(supervisor.host.root, changed, { unseen: kept === true }));
    // Stopping what is no longer in it may take as long as it likes.
    await Promise.race([begun, sleep(APPLY_PATIENCE_MS, null, { ref: false })]);
  }

  /** A service or run changed; subscribers hear of it. */
  changed(): void {
    this.#feed.touch();
  }

  get #isWatched(): boolean {
    return [...this.#server.connections].some((connection) => connection.subscribed);
  }

  async #showMemory(): Promise<void> {
    if (!this.#isWatched) return;
    await this.#parts.supervisor.refreshMemory();
    this.#feed.touch();
  }

  #status(): StatusResult {
    const { supervisor, claim, guardian } = this.#parts;
    return readStatus(supervisor, claim.lock, this.#heartbeat.last, guardian.identity, this.#sessions.all);
  }

  async #reload(): ReturnType<typeof reloadConfiguration> {
    const result = await reloadConfiguration(this.#parts.supervisor);
    const { idleGraceMs } = this.#parts.supervisor.config;
    if (result.ok) for (const one of [this.#grace, this.#sessions]) one.retune(idleGraceMs);
    return result;
  }

  /** Nobody was there for a whole grace, and with nothing left running there is nothing to do here. */
  #endIfIdle(): void {
    if (this.#grace.over && !this.#parts.supervisor.busy) void this.#end({ kind: 'asked', by: 'idle' });
  }

  #watchClaim(): void {
    const { claimWatch, journal } = this.#parts;
    claimWatch.start({
      onWorkspaceGone: () => void this.#end({ kind: 'workspace_gone' }),
      onReclaimed: (ok) => journal.append('lock_reclaimed', { ok }),
      onLost: (loss) => this.#lose(loss),
    });
  }

  /** From here on nothing is written that the new holder has as well. */
  #lose({ trees, isStateShared, holder }: Loss): void {
    const { supervisor, journal, registry, guardian, exit = (code) => process.exit(code) } = this.#parts;
    say(`pid ${holder?.pid} on ${holder?.host} holds the workspace now; trees: ${trees}`);
    if (isStateShared) {
      this.#heartbeat.stop();
      registry.abandon();
      journal.abandon();
      sealFolder(supervisor.host.stateDir);
    } else journal.append('lock_lost', { ...holder });
    if (trees === 'stop') {
      void this.#end({ kind: 'lock_lost' });
      return;
    }
    // The new holder adopts what runs; whatever this process did from now on would be done twice.
    supervisor.freeze();
    void guardian.dismiss();
    this.#server.abandon();
    for (const undo of this.#undo) undo();
    exit(ExitCode.lockLost);
  }

  /** The one way out, taken once; a second call waits for the first. */
  #end(end: End): Promise<readonly ReapedTree[]> {
    this.#ending ??= this.#leave(end);
    return this.#ending;
  }

  async #leave(end: End): Promise<readonly ReapedTree[]> {
    const { supervisor, claim, journal } = this.#parts;
    journal.append('supervisor_stopping', { why: end.kind, ...(end.kind === 'asked' ? { by: end.by } : {}) });
    if (end.kind === 'asked') supervisor.intent.drain(end.by);
    supervisor.intent.save();
    for (const timer of this.#timers) clearInterval(timer);
    this.#grace.stop();
    this.#sessions.stop();
    let trees: readonly ReapedTree[] = [];
    if (end.kind === 'cannot_serve') {
      supervisor.freeze();
      tellStarter(`cannot listen at ${claim.lock.endpoint}: ${end.error.message}`);
    } else {
      try {
        // What an earlier supervisor left is ended or adopted by then, and so is drained with the rest.
        await this.#takenOver;
        trees = await supervisor.drain();
      } catch (error) {
        this.#fault('drain', error);
      }
      for (const { name, proof } of trees) say(`${name}: ${describeProof(proof)}`);
    }
    const code = this.#faulty ? ExitCode.failed : exitCodeOf(end);
    journal.append('supervisor_stopped', { why: end.kind, code, trees: trees.length });
    void this.#release(end, code);
    return trees;
  }

  /** Every step is tried, whatever becomes of the one before (R27); the lock goes last. */
  async #release(end: End, code: number): Promise<void> {
    const { claim, claimWatch, journal, registry, guardian } = this.#parts;
    // What it leaves running when nobody can reach it is for a successor.
    const leaves = end.kind === 'cannot_serve' && registry.records().length > 0;
    const steps: (() => unknown)[] = [
      () => (leaves ? undefined : guardian.dismiss()),
      () => this.#feed.stop(),
      () => this.#heartbeat.stop(),
      () => claimWatch.stop(),
      ...this.#undo,
      () => this.#server.close({ why: end.kind }),
      () => {
        // Whoever stopped everything begins anew next time; budgets go on only after a supervisor that was lost.
        if (end.kind !== 'asked') return;
        for (const name of Object.keys(registry.services())) registry.removeService(name);
        registry.setIntent(Object.fromEntries(Object.keys(registry.intent()).map((part) => [part, null])));
      },
      () => registry.close(),
      () => journal.close(),
      () => {
        if (end.kind !== 'lock_lost') claim.release();
      },
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#faulty = true;
        say('while ending: %s', error);
      }
    }
    this.#resolveEnd(this.#faulty ? ExitCode.failed : code);
  }

  /**
   * A bug. It is recorded, and this process ends at once, before it does more of what was not meant; the trees and the
   * lock are left to the successor. A drain that is under way is finished: it is all that is left to do.
   */
  #fault(fault: string, error: unknown): void {
    const { supervisor, journal, registry, exit = (code) => process.exit(code) } = this.#parts;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`${fault}: ${text}`);
    journal.append('supervisor_fault', { fault, message: text.split('\n')[0] ?? '' });
    this.#faulty = true;
    if (this.#ending !== null) return;
    supervisor.freeze();
    registry.close();
    journal.close();
    exit(ExitCode.failed);
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
    case 'cannot_serve':
      return ExitCode.failed;
    default:
      return end satisfies never;
  }
}
