/** The status of a workspace as it changes, for as long as the connection lasts. */
import type { RequestFailure, SupervisorClient } from '../../api/client.ts';
import type { StatusResult } from '../../api/protocol.ts';
import { mergeChange } from '../statusChange.ts';

export class StatusFeed {
  #status: StatusResult;
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(client: SupervisorClient, first: StatusResult) {
    this.#status = first;
    client.onChanged((change) => {
      this.#status = mergeChange(this.#status, change);
      this.#tell();
    });
    client.onClose(() => {
      this.#closed = true;
      this.#tell();
    });
  }

  static async open(
    client: SupervisorClient,
  ): Promise<{ ok: true; feed: StatusFeed } | { ok: false; failure: RequestFailure }> {
    const answer = await client.request('subscribe', {});
    return answer.ok ? { ok: true, feed: new StatusFeed(client, answer.value) } : answer;
  }

  get status(): StatusResult {
    return this.#status;
  }

  /** Takes an answer that is newer than what was heard so far. */
  renew(status: StatusResult): void {
    this.#status = status;
    this.#tell();
  }

  /** The connection has ended: nothing more will be known. */
  get closed(): boolean {
    return this.#closed;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when `condition` holds, the connection ends, or `signal` aborts: look at `closed` and `status`. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    if (this.#closed || condition() || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.#closed && !condition() && signal?.aborted !== true) return;
        this.#listeners.delete(look);
        signal?.removeEventListener('abort', look);
        resolve();
      };
      this.#listeners.add(look);
      signal?.addEventListener('abort', look);
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
