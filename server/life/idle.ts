/** What the end of a grace without clients means; told once each time it runs out. */
export interface IdleListener {
  /** Nobody was connected for the whole grace. */
  readonly onGraceOver: () => void;
}

/** What still runs when a grace is over is looked at again, after a grace or at least so long. */
const LEAST_PAUSE_MS = 1_000;

/**
 * Counts the time without a client. A window that reloads comes back within seconds, so only a whole grace says that
 * nobody is there.
 */
export class IdleGrace {
  readonly #listener: IdleListener;
  #graceMs: number;
  #clients = 0;
  #timer: NodeJS.Timeout | null = null;
  #over = false;
  #begun = false;

  constructor(graceMs: number, listener: IdleListener) {
    this.#graceMs = graceMs;
    this.#listener = listener;
  }

  /** Clients can come from now on. However short the grace, the first has `arrivalMs`. */
  begin(arrivalMs: number): void {
    this.#begun = true;
    this.#arm(Math.max(arrivalMs, this.#graceMs));
  }

  /** Nobody was connected for a whole grace, and nobody has come since. */
  get over(): boolean {
    return this.#over;
  }

  retune(graceMs: number): void {
    if (graceMs === this.#graceMs) return;
    this.#graceMs = graceMs;
    this.#arm();
  }

  clients(count: number): void {
    const was = this.#clients;
    this.#clients = count;
    if ((was === 0) === (count === 0)) return;
    this.#over = false;
    this.#arm();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(afterMs = this.#graceMs): void {
    this.stop();
    if (!this.#begun || this.#clients > 0) return;
    this.#timer = setTimeout(() => {
      this.#over = true;
      this.#listener.onGraceOver();
      // Something may still run; it is looked at again, as nobody tells us when the last of it ended.
      this.#arm(Math.max(LEAST_PAUSE_MS, this.#graceMs));
    }, afterMs);
    this.#timer.unref();
  }
}
