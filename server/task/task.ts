import type { TaskConfig } from '../config/model.ts';
import type { EmptyProof, ExitStatus } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { type SupervisedTree, startTree } from '../service/tree.ts';
import type { Owner } from '../store/types.ts';
import type { TaskStateName, TaskStatus } from './status.ts';

export interface TaskPlace {
  readonly runId: string;
  readonly log: string;
  readonly exitRecordPath: string;
}

/** One task in one run: started at most once, `retries` apart; its tree is proven empty before it counts as ended. */
export class RunTask {
  readonly config: TaskConfig;
  readonly #host: WorkspaceHost;
  readonly #place: TaskPlace;
  readonly #owner: Owner;
  readonly #changed: () => void;
  #state: TaskStateName = 'waiting';
  #tree: SupervisedTree | null = null;
  #canceled = false;
  #exitCode: number | null = null;
  #startedAt: number | null = null;
  #finishedAt: number | null = null;
  #detail: string | null = null;
  #done: Promise<void> | null = null;
  /** What stopping it proved. */
  proof: EmptyProof | null = null;

  constructor(config: TaskConfig, host: WorkspaceHost, place: TaskPlace, owner: Owner, changed: () => void) {
    this.config = config;
    this.#host = host;
    this.#place = place;
    this.#owner = owner;
    this.#changed = changed;
  }

  get state(): TaskStateName {
    return this.#state;
  }

  get tree(): SupervisedTree | null {
    return this.#tree;
  }

  get ended(): boolean {
    return isEnded(this.#state);
  }

  get status(): TaskStatus {
    return {
      name: this.config.name,
      state: this.#state,
      exitCode: this.#exitCode,
      startedAt: this.#startedAt,
      finishedAt: this.#finishedAt,
      log: this.#place.log,
      detail: this.#detail,
    };
  }

  waitFor(text: string): void {
    if (this.#state !== 'waiting' || this.#detail === text) return;
    this.#detail = text;
    this.#changed();
  }

  /** A dependency can no longer be met. */
  block(because: string): void {
    if (this.#state === 'waiting') this.#settle('blocked', because);
  }

  start(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'running';
    this.#detail = null;
    this.#startedAt = Date.now();
    this.#host.journal('task_started', { run: this.#place.runId, name: this.config.name });
    this.#changed();
    this.#done = this.#run();
  }

  /** Resolves when its tree is proven empty. */
  async cancel(): Promise<EmptyProof | null> {
    this.#canceled = true;
    if (this.#state === 'waiting') this.#settle('canceled', 'canceled before it started');
    const { stopSignal, stopTimeoutMs } = this.config;
    if (this.#tree !== null) await this.#tree.terminate({ stopSignal, stopTimeoutMs });
    await this.#done;
    return this.proof;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const end = await this.#attempt(attempt);
      // What ended by itself before it was canceled has a result, and that is kept.
      if (end.canceled) return this.#settle('canceled', 'canceled');
      if (end.kind === 'exited' && end.status.code === 0) return this.#settle('succeeded', null);
      if (end.kind === 'exited' && end.status.code !== null && this.config.attentionCodes.includes(end.status.code)) {
        return this.#settle('needs_attention', `exit code ${end.status.code}: a person must look`);
      }
      const survived = (this.proof?.survivors.length ?? 0) > 0;
      if (attempt >= this.config.retries || this.#canceled || survived) {
        return this.#settle(end.kind === 'timed_out' ? 'timed_out' : 'failed', describeEnd(end, this.config));
      }
      this.#detail = `attempt ${attempt + 2} of ${this.config.retries + 1}: ${describeEnd(end, this.config)}`;
      this.#changed();
    }
  }

  async #attempt(attempt: number): Promise<AttemptEnd> {
    const { config } = this;
    const started = await startTree(this.#host, {
      key: `task/${this.#place.runId}/${config.name}`,
      name: config.name,
      role: 'task',
      incarnation: attempt + 1,
      owner: this.#owner,
      onSupervisorLoss: config.onSupervisorLoss,
      command: config.command,
      cwd: config.cwd,
      baseEnvironment: this.#host.environment(),
      env: config.env,
      envFiles: config.envFiles,
      stdin: config.stdin,
      port: null,
      logPath: this.#place.log,
      exitRecordPath: this.#place.exitRecordPath,
    });
    if (!started.ok) return { kind: 'not_started', canceled: this.#canceled, message: started.message };
    const tree = started.tree;
    this.#tree = tree;
    this.#changed();
    const stopOptions = { stopSignal: config.stopSignal, stopTimeoutMs: config.stopTimeoutMs };
    if (this.#canceled) void tree.terminate(stopOptions);
    let timedOut = false;
    const timer =
      config.timeoutMs === null
        ? undefined
        : setTimeout(
            () => {
              timedOut = true;
              void tree.terminate(stopOptions);
            },
            Math.min(config.timeoutMs, LONGEST_TIMER_MS),
          );
    let canceled = false;
    void tree.exited.then(() => {
      clearTimeout(timer);
      canceled = this.#canceled;
    });
    const { status, proof } = await tree.conclude();
    clearTimeout(timer);
    this.proof = proof;
    tree.release(proof);
    this.#tree = null;
    this.#exitCode = status.code;
    canceled ||= this.#canceled && proof.survivors.length > 0;
    return timedOut ? { kind: 'timed_out', canceled } : { kind: 'exited', canceled, status };
  }

  #settle(state: TaskStateName, detail: string | null): void {
    this.#state = state;
    this.#detail = detail;
    this.#finishedAt = Date.now();
    this.#host.journal('task_finished', {
      run: this.#place.runId,
      name: this.config.name,
      state,
      exitCode: this.#exitCode,
      durationMs: this.#startedAt === null ? 0 : this.#finishedAt - this.#startedAt,
    });
    this.#changed();
  }
}

/** A longer delay makes a Node timer fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `canceled`: it was asked to end before its leader had ended. */
type AttemptEnd =
  | { readonly kind: 'exited'; readonly canceled: boolean; readonly status: ExitStatus }
  | { readonly kind: 'timed_out'; readonly canceled: boolean }
  | { readonly kind: 'not_started'; readonly canceled: boolean; readonly message: string };

function describeEnd(end: AttemptEnd, config: TaskConfig): string {
  switch (end.kind) {
    case 'not_started':
      return end.message;
    case 'timed_out':
      return `not done within ${config.timeoutMs} ms`;
    case 'exited':
      return end.status.signal === null ? `exit code ${end.status.code}` : `killed by ${end.status.signal}`;
    default:
      return end satisfies never;
  }
}

/** Whether nothing more will happen to a task in this state. */
export function isEnded(state: TaskStateName): boolean {
  switch (state) {
    case 'waiting':
    case 'running':
      return false;
    case 'blocked':
    case 'succeeded':
    case 'cached':
    case 'failed':
    case 'timed_out':
    case 'canceled':
    case 'skipped':
    case 'needs_attention':
      return true;
    default:
      return state satisfies never;
  }
}
