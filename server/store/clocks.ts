import { bootId } from '../process/identity.ts';

/** The clocks of this machine at one moment, ms. */
export interface Clocks {
  /** What a person reads; it may be set, and goes on while the machine sleeps. */
  readonly wall: number;
  /** Nobody can set it, all processes of one boot share it, and it stands still while the machine sleeps. */
  readonly steady: number;
  /** Empty where it cannot be told: then steady times of two processes cannot be compared. */
  readonly bootId: string;
}

export function clocksNow(): Clocks {
  return { wall: Date.now(), steady: steadyNow(), bootId: bootId() };
}

/** CLOCK_MONOTONIC on Linux, its like elsewhere. */
export function steadyNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * The machine slept between two moments of one boot, or its wall clock was set: either way what happened between them
 * proves nothing about a process that was to do something meanwhile.
 */
export function sleptBetween(earlier: Clocks, later: Clocks): boolean {
  const apart = later.wall - earlier.wall - (later.steady - earlier.steady);
  return earlier.bootId !== later.bootId || Math.abs(apart) > CLOCKS_APART_MS;
}

/** Two readings of two clocks are not taken in the same instant. */
const CLOCKS_APART_MS = 1000;

/** What a supervisor's own clock showed at some moment, for the next one to go on with. */
export interface ClockMark {
  readonly bootId: string;
  readonly steady: number;
  /** Its clock for windows and delays. */
  readonly now: number;
}

/**
 * A clock for windows and delays: begins as the one on the wall, and from then on only goes forward, whoever sets the
 * wall's. Within one boot a successor goes on with the clock of the supervisor before, so that no jump between the two
 * frees a budget or holds a restart back.
 */
export function windowClock(earlier: ClockMark | null, clocks: Clocks, steady: () => number = steadyNow): () => number {
  const shared = earlier !== null && earlier.bootId !== '' && earlier.bootId === clocks.bootId;
  // A mark from after now is none of this boot's clock.
  const offset = shared && earlier.steady <= clocks.steady ? earlier.now - earlier.steady : clocks.wall - clocks.steady;
  return () => Math.round(offset + steady());
}
