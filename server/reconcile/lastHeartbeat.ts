import type { Heartbeat } from '../store/types.ts';

/**
 * The last sign of life of an earlier supervisor, ageing by a clock that nobody can set. Kept in memory: on the disk this
 * supervisor's own takes its place at once.
 */
export class LastHeartbeat {
  readonly heartbeat: Heartbeat | null;
  readonly #ageThen: number | null;
  readonly #readAt: number;
  readonly #steady: () => number;

  /** `now` in epoch milliseconds; `steady` a clock that only goes forward. */
  constructor(heartbeat: Heartbeat | null, now = Date.now(), steady: () => number = () => performance.now()) {
    this.heartbeat = heartbeat;
    this.#ageThen = heartbeat === null ? null : now - heartbeat.at;
    this.#steady = steady;
    this.#readAt = steady();
  }

  /** Epoch milliseconds. */
  get at(): number | null {
    return this.heartbeat?.at ?? null;
  }

  /** Below zero: from a moment that had not come when it was read, which makes it as old as can be for good. */
  get ageMs(): number | null {
    if (this.#ageThen === null || this.#ageThen < 0) return this.#ageThen;
    return this.#ageThen + this.#steady() - this.#readAt;
  }
}
