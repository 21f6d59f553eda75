import type { EmptyProof } from '../process/types.ts';
import type { WorkspaceHost } from '../service/host.ts';
import type { Owner } from '../store/types.ts';
import { ExecCommand, type ExecRequest, type ExecStart } from './exec.ts';

/** So many that ended are kept in mind, for callers that ask a moment later. */
const REMEMBERED = 100;

/** The commands of `coppice exec`: those that are being launched, those that run, and the newest that ended. */
export class Commands {
  readonly live = new Map<string, ExecCommand>();
  readonly #ended = new Map<string, ExecCommand>();
  readonly #launching = new Map<Promise<unknown>, Owner>();
  readonly #host: WorkspaceHost;
  readonly #changed: () => void;

  constructor(host: WorkspaceHost, changed: () => void) {
    this.#host = host;
    this.#changed = changed;
  }

  /** Something runs, or is about to. */
  get busy(): boolean {
    return this.live.size + this.#launching.size > 0;
  }

  find(id: string): ExecCommand | undefined {
    return this.live.get(id) ?? this.#ended.get(id);
  }

  async start(id: string, request: ExecRequest): Promise<ExecStart> {
    const starting = this.#start(id, request);
    this.#launching.set(starting, request.owner);
    try {
      return await starting;
    } finally {
      this.#launching.delete(starting);
    }
  }

  /** Ends those that `belongs`; one that is being launched is waited for, so that it cannot begin behind the back of this. */
  async stop(belongs: (owner: Owner) => boolean): Promise<{ readonly name: string; readonly proof: EmptyProof }[]> {
    await Promise.allSettled([...this.#launching].flatMap(([starting, owner]) => (belongs(owner) ? [starting] : [])));
    const commands = [...this.live.values()].filter((one) => belongs(one.owner));
    return Promise.all(commands.map(async (one) => ({ name: one.tree.record.name, proof: (await one.stop()).proof })));
  }

  async #start(id: string, request: ExecRequest): Promise<ExecStart> {
    const started = await ExecCommand.start(this.#host, id, request);
    if (!started.ok) return started;
    const { command } = started;
    this.live.set(id, command);
    void command.ended.then(() => {
      this.live.delete(id);
      this.#ended.set(id, command);
      const [oldest] = this.#ended.keys();
      if (this.#ended.size > REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
      this.#changed();
    });
    return started;
  }
}
