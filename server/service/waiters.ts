/** Those who wait for something to become true of an object that says when it may have changed. */
export class Waiters {
  readonly #looks = new Set<() => void>();

  /** Resolves with `true` when `condition` holds, with `false` when the signal comes first. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const finish = (value: boolean): void => {
        this.#looks.delete(look);
        signal?.removeEventListener('abort', give);
        resolve(value);
      };
      const look = (): void => {
        if (condition()) finish(true);
      };
      const give = (): void => finish(false);
      this.#looks.add(look);
      signal?.addEventListener('abort', give, { once: true });
      if (signal?.aborted) finish(false);
    });
  }

  /** Has everybody look. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }
}
