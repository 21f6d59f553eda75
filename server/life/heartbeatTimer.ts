import type { Claim } from '../store/claim.ts';
import { steadyNow } from '../store/clocks.ts';
import { HEARTBEAT_PERIOD_MS, writeHeartbeat } from '../store/heartbeat.ts';
import type { Heartbeat } from '../store/types.ts';
import type { Supervisor } from '../supervisor.ts';

/** Writes the sign of life that whoever comes next judges by. */
export class HeartbeatTimer {
  readonly #supervisor: Supervisor;
  readonly #claim: Claim;
  #timer: NodeJS.Timeout | null = null;
  #due = 0;
  #last: Heartbeat | null = null;

  constructor(supervisor: Supervisor, claim: Claim) {
    this.#supervisor = supervisor;
    this.#claim = claim;
  }

  get last(): Heartbeat | null {
    return this.#last;
  }

  start(): void {
    this.#due = performance.now();
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_PERIOD_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #beat(): void {
    const { supervisor, lock } = { supervisor: this.#supervisor, lock: this.#claim.lock };
    const now = performance.now();
    const counts: Record<string, number> = {};
    for (const service of supervisor.services.values()) counts[service.state] = (counts[service.state] ?? 0) + 1;
    const memory = process.memoryUsage();
    this.#last = {
      pid: process.pid,
      startTime: lock.startTime,
      at: Date.now(),
      clock: { bootId: lock.bootId, steady: steadyNow(), now: supervisor.host.now() },
      uptimeMs: Math.round(process.uptime() * 1000),
      // How late this beat is: what a busy event loop costs everyone who waits for an answer.
      eventLoopDelayMs: Math.max(0, Math.round(now - this.#due)),
      memory: { heapUsedMb: toMb(memory.heapUsed), rssMb: toMb(memory.rss) },
      services: counts,
      runs: [...supervisor.runs.values()].filter((run) => !run.ended).map((run) => run.id),
    };
    this.#due = now + HEARTBEAT_PERIOD_MS;
    supervisor.host.wrote('heartbeat.json', writeHeartbeat(supervisor.host.stateDir, this.#last));
  }
}

function toMb(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10;
}
