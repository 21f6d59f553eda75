import type { Liveness } from '../process/types.ts';

/** A heartbeat younger than this speaks for a process that cannot be verified (DESIGN 4, reconcile). */
export const HEARTBEAT_FRESH_MS = 5 * 60_000;

export type Verdict = 'alive' | 'finished' | 'dead' | 'presumed_alive';

/** What is known of a recorded tree: its leader's identity, its supervisor's heartbeat, its exit record. */
export interface Evidence {
  readonly identity: Liveness;
  /** `null`: there is no heartbeat. An age below zero (a clock that jumped) is as old as can be. */
  readonly heartbeatAgeMs: number | null;
  readonly exitRecord: boolean;
}

/** The verdict table of DESIGN 4. A fresh heartbeat never speaks for a process that is proven gone. */
export function judge(evidence: Evidence): Verdict {
  switch (evidence.identity) {
    case 'alive':
      return 'alive';
    case 'gone':
    case 'zombie':
    case 'recycled':
      return evidence.exitRecord ? 'finished' : 'dead';
    case 'unknown': {
      if (evidence.exitRecord) return 'finished';
      const age = evidence.heartbeatAgeMs;
      return age !== null && age >= 0 && age < HEARTBEAT_FRESH_MS ? 'presumed_alive' : 'dead';
    }
    default:
      return evidence.identity satisfies never;
  }
}
