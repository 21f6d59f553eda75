import { type Clocks, clocksNow, steadyNow } from '../store/clocks.ts';
import { heartbeatAgeMs } from '../store/heartbeat.ts';
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

  constructor(heartbeat: Heartbeat | null, clocks: Clocks = clocksNow(), steady: () => number = steadyNow) {
    this.heartbeat = heartbeat;
    this.#ageThen = heartbeat === null ? null : heartbeatAgeMs(heartbeat, clocks);
    this.#steady = steady;
    this.#readAt = clocks.steady;
  }

  /** Below zero: from a moment that had not come when it was read, which makes it as old as can be for good. */
  get ageMs(): number | null {
    if (this.#ageThen === null || this.#ageThen < 0) return this.#ageThen;
    return this.#ageThen + this.#steady() - this.#readAt;
  }
}
