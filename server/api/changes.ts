import type { RunStatus } from '../task/status.ts';
import type { Notifications, ServiceStatus, StatusResult } from './protocol.ts';

/** At most so often are subscribers told of changes; the first change after a pause goes out at once. */
const PERIOD_MS = 100;

/** Turns many small changes into few notifications that hold only what differs from the one before. */
export class ChangeFeed {
  readonly #read: () => StatusResult;
  readonly #send: (changes: Notifications['changed']) => void;
  readonly #services = new Map<string, string>();
  readonly #runs = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #lastSent = Number.NEGATIVE_INFINITY;

  constructor(read: () => StatusResult, send: (changes: Notifications['changed']) => void) {
    this.#read = read;
    this.#send = send;
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#lastSent + PERIOD_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, wait);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush(): void {
    this.#lastSent = performance.now();
    const status = this.#read();
    const services = status.services.filter((service) => differs(this.#services, service.name, service));
    const runs = status.runs.filter((run: RunStatus) => differs(this.#runs, run.id, run));
    const present = new Set(status.services.map((service: ServiceStatus) => service.name));
    const removed = [...this.#services.keys()].filter((name) => !present.has(name));
    for (const name of removed) this.#services.delete(name);
    if (services.length + runs.length + removed.length > 0) this.#send({ services, removed, runs });
  }
}

function differs(known: Map<string, string>, key: string, value: unknown): boolean {
  const text = JSON.stringify(value);
  if (known.get(key) === text) return false;
  known.set(key, text);
  return true;
}
