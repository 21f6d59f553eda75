import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Outcome {
  outcome: 'won' | 'held' | 'failed';
  ms: number;
  changes: number;
  stateDir?: string;
  replaced?: 'stale' | 'corrupt' | null;
  holder?: number;
  evidence?: string;
  failure?: { reason: string };
}

const PROGRAM = join(import.meta.dirname, 'programs/contend.ts');

/** A process of its own that claims workspaces as told. */
export class Contender {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, 'close').then(() => {});
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(): Promise<Contender> {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin!.on('error', () => {});
    const contender = new Contender(child);
    if ((await contender.#answer()) === null) throw new Error('the contender did not start');
    return contender;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** `null`: it died. */
  async claim(
    root: string,
    options: { environment?: NodeJS.ProcessEnv; dieAt?: number; withoutLinks?: boolean } = {},
  ): Promise<Outcome | null> {
    return (await this.#ask({ claim: root, ...options })) as Outcome | null;
  }

  async verify(): Promise<string | null> {
    return ((await this.#ask({ verify: true })) as { verdict: string } | null)?.verdict ?? null;
  }

  async release(): Promise<void> {
    await this.#ask({ release: true });
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async #ask(command: unknown): Promise<unknown> {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.#answer();
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#answers.next();
    if (done !== true) return JSON.parse(value);
    // Its output ends a moment before it does; until it is reaped it counts as alive.
    await this.ended;
    return null;
  }
}
