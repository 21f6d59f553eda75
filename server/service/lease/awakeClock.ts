/** A longer pause between two looks was the machine's sleep, or a supervisor that was stopped. */
export const LONGEST_STEP_MS = 10_000;

/**
 * Counts the time in which an absence can be told from a sleep. The clock below it may run on while the machine is
 * suspended (macOS, Windows) or while this process is stopped by a signal; of a long pause only `LONGEST_STEP_MS`
 * count. Whoever counts with it must look more often than that.
 */
export class AwakeClock {
  readonly #now: () => number;
  #looked: number;
  #awake = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#looked = now();
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    const at = this.#now();
    this.#awake += Math.min(LONGEST_STEP_MS, Math.max(0, at - this.#looked));
    this.#looked = at;
    return this.#awake;
  }
}
