import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  findGuardians,
  type GuardianPlan,
  type GuardianProcess,
  isStopped,
  launchGuardian,
  tellOwnGuardian,
} from '../process/guardian.ts';
import { liveness, sameProcess } from '../process/identity.ts';
import { signalProcess } from '../process/signal.ts';
import type { ProcessIdentity } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { readAccounting } from '../service/policy/snapshot.ts';
import { type Accounting, recordRecovery } from '../service/restartCore.ts';
import { type GuardianFile, gaveUpText, readGuardianFile, writeGuardianFile } from '../store/guardianFile.ts';
import type { JournalEventName } from '../store/journalEvents.ts';
import { guardianPath } from '../store/paths.ts';
import {
  inheritAccounting,
  REPLACEMENT_WINDOW_MS,
  replacementDelay,
  SUPERVISOR_LIMITS,
  schedule,
} from './guardianPlan.ts';

type Tell = (event: JournalEventName, fields: Readonly<Record<string, unknown>>) => void;

export interface GuardianRequest {
  readonly workspaceId: string;
  readonly stateDir: string;
  /** Who is guarded. */
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  /** How often the guardian that started this supervisor lost one; 0: a person started it. */
  readonly losses: number;
  /** Starts a successor, but for the number of losses. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly now: () => number;
  /** The workspace is still this supervisor's. */
  readonly holds: () => boolean;
}

/** How long a guardian that was dismissed, or told of its successor, may take to go. */
const PATIENCE_MS = 500;
/** How often it is looked at: its end is told at once, that it was stopped is not. */
const LOOK_MS = 2_000;
/** A system that has no guardian now is asked again. */
const RETRY_MS = 5_000;

/** Keeps a guardian alive beside this supervisor, with a plan that holds. */
export class SupervisorGuardian {
  readonly #request: GuardianRequest;
  #accounting: Accounting;
  #process: GuardianProcess | null = null;
  #planned = '';
  #deaths: number[] = [];
  #timers: NodeJS.Timeout[] = [];
  #warned = false;
  #dismissed = false;
  readonly #untold: Parameters<Tell>[] = [];
  #tell: Tell = (...news) => void this.#untold.push(news);
  #unsaved = false;
  #save: WorkspaceHost['save'] = (_file, write) => {
    this.#unsaved = !write().ok;
  };

  constructor(request: GuardianRequest) {
    this.#request = request;
    const earlier = readGuardianFile(request.stateDir);
    const known =
      earlier === null ? null : { accounting: readAccounting(earlier.accounting), gaveUp: earlier.gaveUp !== null };
    this.#accounting = inheritAccounting(known, request.losses, request.now());
  }

  /** Has what happens to it told in the journal, and what has happened by now; and its file written until that works. */
  tellTo(tell: Tell, save: WorkspaceHost['save']): void {
    this.#tell = tell;
    for (const [event, fields] of this.#untold.splice(0)) tell(event, fields);
    this.#save = save;
    if (this.#unsaved) this.#write();
  }

  get identity(): ProcessIdentity | null {
    return this.#process?.identity ?? null;
  }

  /**
   * Starts the guardian; it guards from the moment this returns. In the background the one that started this supervisor
   * is told that it is no longer needed, and what is left of earlier ones is ended.
   */
  begin(): void {
    this.#start();
    this.#later(SUPERVISOR_LIMITS.recoveryMs, () => {
      this.#accounting = recordRecovery(this.#accounting);
      this.#renew();
    });
    const looks = setInterval(() => this.#look(), LOOK_MS);
    looks.unref();
    this.#timers = [...this.#timers, looks];
    void this.#relieve();
  }

  /** Replaces a guardian that was stopped, and puts aged losses out of the plan. */
  #look(): void {
    if (this.#dismissed || this.#process === null) return;
    const { identity } = this.#process;
    if (isStopped(identity)) signalProcess(identity, 'SIGKILL');
    else if (this.#accounting.slow.length > 0) this.#renew();
  }

  /** Resolves when the guardian is gone: nobody starts a successor any more. */
  async dismiss(): Promise<void> {
    this.#dismissed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const guardian = this.#process;
    if (guardian !== null) {
      guardian.dismiss();
      await Promise.race([guardian.exited, sleep(PATIENCE_MS)]);
      // Stopped, most likely.
      signalProcess(guardian.identity, 'SIGKILL');
      await Promise.race([guardian.exited, sleep(PATIENCE_MS)]);
    }
    this.#process = null;
    if (this.#request.holds()) rmSync(guardianPath(this.#request.stateDir), { force: true });
  }

  #start(): void {
    const { workspaceId, holds } = this.#request;
    if (this.#dismissed || !holds()) return;
    const guardian = launchGuardian(workspaceId, this.#plan());
    this.#process = guardian;
    if (guardian !== null || !this.#warned) this.#write();
    if (guardian === null) {
      if (!this.#warned) this.#tell('health_warn', { reason: 'no_guardian', detail: 'no successor comes by itself' });
      this.#warned = true;
      this.#later(RETRY_MS, () => this.#start());
      return;
    }
    this.#warned = false;
    void guardian.exited.then(({ code, signal }) => this.#ended(guardian, code, signal));
  }

  #ended(guardian: GuardianProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#dismissed || this.#process !== guardian) return;
    this.#process = null;
    const now = this.#request.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < REPLACEMENT_WINDOW_MS), now];
    const delayMs = replacementDelay(this.#deaths, now);
    this.#tell('guardian_lost', { pid: guardian.identity.pid, code, signal, delayMs });
    if (delayMs === 0) this.#start();
    else this.#later(delayMs, () => this.#start());
  }

  #renew(): void {
    if (this.#dismissed) return;
    const before = this.#planned;
    const plan = this.#plan();
    if (this.#planned === before) return;
    this.#process?.renew(plan);
    this.#write();
  }

  #plan(): GuardianPlan {
    const { argv, env, logPath, stateDir, now } = this.#request;
    const delaysMs = schedule(this.#accounting, now());
    this.#planned = JSON.stringify([delaysMs, this.#accounting.crashes]);
    return {
      delaysMs,
      losses: this.#accounting.crashes,
      argv: [...argv, '--successor'],
      env,
      logPath,
      recordPath: guardianPath(stateDir),
      recordText: gaveUpText(this.#file(), `What it printed is in ${logPath}; \`coppice up\` starts one anew.`),
    };
  }

  #file(): GuardianFile {
    const { supervisor, argv } = this.#request;
    return { guardian: this.identity, supervisor, argv, accounting: this.#accounting };
  }

  #write(): void {
    // Whoever has the workspace by now has the file as well.
    if (!this.#request.holds()) return;
    this.#save('guardian.json', () =>
      this.#dismissed ? { ok: true } : writeGuardianFile(this.#request.stateDir, this.#file()),
    );
  }

  async #relieve(): Promise<void> {
    const { workspaceId, losses } = this.#request;
    if (losses > 0) {
      await this.#untilGuarded();
      // Asked to end by now: the exit code says so to whoever still guards.
      if (this.#dismissed) return;
      tellOwnGuardian('in charge');
    }
    const others = async (): Promise<ProcessIdentity[]> => {
      const found = await findGuardians(workspaceId);
      // Which one is ours is asked afterwards: it may have been replaced meanwhile.
      const { identity } = this;
      return found.filter((one) => identity === null || !sameProcess(one, identity));
    };
    try {
      const deadline = performance.now() + (losses > 0 ? PATIENCE_MS : 0);
      while (performance.now() < deadline && (await others()).length > 0) await sleep(20);
      for (const stray of await others()) {
        if (this.#dismissed) return;
        if (liveness(stray) === 'alive') signalProcess(stray, 'SIGKILL', { parentToo: true });
      }
    } catch {
      // The process table cannot be read for the moment; one that is left finds the workspace held, and ends.
    }
  }

  /** Whoever guards until now must not go before the new one can act: there may be no room to start one. */
  async #untilGuarded(): Promise<void> {
    for (let told = false; !this.#dismissed; told = true) {
      const guarded = await Promise.race([this.#process?.planned ?? false, sleep(PATIENCE_MS, false)]);
      if (guarded) return;
      if (!told) tellOwnGuardian('guard on');
      await sleep(LOOK_MS, null, { ref: false });
    }
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(act, delayMs);
    timer.unref();
    this.#timers = [...this.#timers, timer];
  }
}
