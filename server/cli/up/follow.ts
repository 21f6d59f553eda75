/** The status of a workspace as it changes, for as long as it has a supervisor, this one or its successor. */
import type { RequestFailure } from '../../api/client.ts';
import type { StatusResult } from '../../api/protocol.ts';
import type { ResilientClient } from '../../api/resilient.ts';
import { mergeChange } from '../statusChange.ts';

export class StatusFeed {
  #status: StatusResult;
  #closed = false;
  #lost = false;
  readonly #listeners = new Set<() => void>();

  constructor(client: ResilientClient, first: StatusResult) {
    this.#status = first;
    client.onChanged((change) => {
      this.#status = mergeChange(this.#status, change);
      this.#tell();
    });
    client.onLink((news) => {
      this.#lost = news.kind === 'lost';
      if (news.kind === 'back' && news.status !== null) this.#status = news.status;
      this.#tell();
    });
    client.onClose(() => {
      this.#closed = true;
      this.#tell();
    });
  }

  static async open(
    client: ResilientClient,
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

  /** The supervisor was lost, and its successor is not there yet: `status` is how things stood. */
  get lost(): boolean {
    return this.#lost && !this.#closed;
  }

  /** There is no supervisor any more, for good: nothing more will be known. */
  get closed(): boolean {
    return this.#closed;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when `condition` holds, there is no supervisor any more, or `signal` aborts: look at `closed` and `status`. */
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
