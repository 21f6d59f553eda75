/** When nobody uses a service any more: nobody outside its tree is connected to it, and it prints nothing. */
import { pause } from './pause.ts';

export interface IdleSample {
  /** Connections to the service's port from outside its tree; `null` where that cannot be seen. */
  readonly connections: number | null;
  /** Position after the last byte that it printed. */
  readonly outputEnd: number;
}

export interface IdleState {
  /** When it was last seen in use. */
  readonly usedAt: number;
  readonly outputEnd: number | null;
}

export type IdleVerdict = { readonly state: IdleState; readonly idle: boolean };

/** Not being able to see is being used: a service is never stopped for what is not known. */
export function judgeIdle(state: IdleState, sample: IdleSample, now: number, idleStopMs: number): IdleVerdict {
  const printed = state.outputEnd !== null && sample.outputEnd !== state.outputEnd;
  const used = sample.connections !== 0 || printed;
  const next: IdleState = { usedAt: used ? now : state.usedAt, outputEnd: sample.outputEnd };
  return { state: next, idle: now - next.usedAt >= idleStopMs };
}

export interface IdleWatch {
  /** `null`: never. Read before each look. */
  readonly idleStopMs: () => number | null;
  readonly sample: () => Promise<IdleSample>;
  readonly signal: AbortSignal;
  /** Told again at every look for as long as it stays idle. */
  readonly onIdle: () => void;
  /** A clock that stands still during a suspend, so that sleep is not taken for disuse. Milliseconds. */
  readonly now?: () => number;
  /** Default: a quarter of the time, at least 1 s and at most 30 s. */
  readonly interval?: (idleStopMs: number | null) => number;
}

/** Looks until `signal` is aborted. The time counts from the call, which is when the service became ready. */
export function watchIdle(watch: IdleWatch): void {
  void look(watch);
}

async function look({
  idleStopMs,
  sample,
  signal,
  onIdle,
  now = monotonic,
  interval = lookEvery,
}: IdleWatch): Promise<void> {
  let state: IdleState = { usedAt: now(), outputEnd: null };
  while (await pause(interval(idleStopMs()), signal)) {
    const limit = idleStopMs();
    if (limit === null) {
      state = { usedAt: now(), outputEnd: null };
      continue;
    }
    const seen = await sample();
    if (signal.aborted) return;
    const verdict = judgeIdle(state, seen, now(), limit);
    state = verdict.state;
    if (verdict.idle) onIdle();
  }
}

function monotonic(): number {
  return performance.now();
}

function lookEvery(idleStopMs: number | null): number {
  return Math.min(30_000, Math.max(1_000, (idleStopMs ?? Number.POSITIVE_INFINITY) / 4));
}
