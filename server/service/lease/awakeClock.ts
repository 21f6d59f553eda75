/**
 * Counts the time in which an absence can be told from a sleep. The clock below it may run on while the machine is
 * suspended (macOS, Windows) or while this process is stopped by a signal; of a pause between two looks only
 * `longestStepMs` count. Whoever counts with it must look more often than that.
 */
export class AwakeClock {
  readonly #now: () => number;
  readonly #longestStepMs: () => number;
  #looked: number;
  #awake = 0;

  constructor(now: () => number, longestStepMs: () => number) {
    this.#now = now;
    this.#longestStepMs = longestStepMs;
    this.#looked = now();
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    const at = this.#now();
    this.#awake += Math.min(this.#longestStepMs(), Math.max(0, at - this.#looked));
    this.#looked = at;
    return this.#awake;
  }
}
