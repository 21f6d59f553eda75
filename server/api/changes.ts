import type { RunStatus } from '../task/status.ts';
import type { Notifications, ServiceStatus, StatusResult } from './protocol.ts';

/** At most so often are subscribers told of changes; the first change after a pause goes out at once. */
const PERIOD_MS = 100;

export interface ChangeSource {
  /** Somebody wants to know; otherwise nothing is read at all. */
  readonly wanted: () => boolean;
  readonly read: () => Pick<StatusResult, 'services' | 'runs'>;
  readonly send: (changes: Notifications['changed']) => void;
}

/** Turns many small changes into few notifications that hold only what differs from the one before. */
export class ChangeFeed {
  readonly #source: ChangeSource;
  readonly #services = new Map<string, string>();
  readonly #runs = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #lastSent = Number.NEGATIVE_INFINITY;

  constructor(source: ChangeSource) {
    this.#source = source;
  }

  /**
   * Somebody was just told all of `status`, which others may not have heard of yet, and which may be as before by the
   * time of the next notification: that one holds everything.
   */
  told(status: Pick<StatusResult, 'services' | 'runs'>): void {
    for (const { name } of status.services) this.#services.set(name, '');
    for (const { id } of status.runs) this.#runs.set(id, '');
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#timer !== null || !this.#source.wanted()) return;
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
    if (!this.#source.wanted()) return;
    const status = this.#source.read();
    const services = status.services.filter((service) => differs(this.#services, service.name, service));
    const runs = status.runs.filter((run: RunStatus) => differs(this.#runs, run.id, run));
    const removed = dropMissing(this.#services, new Set(status.services.map((service: ServiceStatus) => service.name)));
    // Only the newest runs are kept; clients drop the others by themselves.
    dropMissing(this.#runs, new Set(status.runs.map((run: RunStatus) => run.id)));
    if (services.length + runs.length + removed.length > 0) this.#source.send({ services, removed, runs });
  }
}

function dropMissing(known: Map<string, string>, present: ReadonlySet<string>): string[] {
  const missing = [...known.keys()].filter((key) => !present.has(key));
  for (const key of missing) known.delete(key);
  return missing;
}

function differs(known: Map<string, string>, key: string, value: unknown): boolean {
  const text = JSON.stringify(value);
  if (known.get(key) === text) return false;
  known.set(key, text);
  return true;
}
