/** What a drill says of each guarantee on this very machine. */
export type Verdict = 'holds' | 'does_not_hold' | 'cannot_be_tested';

export interface Outcome {
  /** The guarantee, as a sentence. */
  readonly guarantee: string;
  readonly verdict: Verdict;
  /** The evidence, or why not. */
  readonly why: string;
}

/** What a drill finds out, one after the other. */
export type Outcomes = AsyncGenerator<Outcome, void, void>;

export interface TimedOutcome extends Outcome {
  /** What it took to find out, since the one before of the same drill. */
  readonly ms: number;
}

export interface DrillReport {
  /** Nothing that could be tested does not hold, and nothing was left behind. */
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly guarantees: readonly TimedOutcome[];
  /** Processes and folders that could not be removed again, in words. */
  readonly leftovers: readonly string[];
}

export interface DrillOptions {
  /** How this command is called: Node, its options, the program. */
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Ends it; everything is cleaned up all the same. */
  readonly signal: AbortSignal;
  readonly onBegin?: (what: string) => void;
  readonly onOutcome?: (outcome: TimedOutcome) => void;
}

export function holds(guarantee: string, why: string): Outcome {
  return { guarantee, verdict: 'holds', why };
}

export function fails(guarantee: string, why: string): Outcome {
  return { guarantee, verdict: 'does_not_hold', why };
}

export function untested(guarantee: string, why: string): Outcome {
  return { guarantee, verdict: 'cannot_be_tested', why };
}
