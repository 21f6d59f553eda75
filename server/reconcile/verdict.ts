import type { Place } from '../process/place.ts';
import type { Liveness } from '../process/types.ts';
import type { Heartbeat } from '../store/types.ts';

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
      return isFresh(evidence.heartbeatAgeMs) ? 'presumed_alive' : 'dead';
    }
    default:
      return evidence.identity satisfies never;
  }
}

/** Where something was recorded, and from where it is looked at. */
export interface Sight {
  /** `null`: it was not written down; then it was here. */
  readonly recorded: Place | null;
  readonly recordedBootId: string;
  readonly here: Place;
  readonly bootId: string;
}

/**
 * What a pid of another place tells here: nothing. `seen` is what this machine shows under the recorded identity. A
 * record of another boot on this machine is one of the past, which `seen` says by itself.
 */
export function fromHere(seen: Liveness, { recorded, recordedBootId, here, bootId }: Sight): Liveness {
  if (recorded === null) return seen;
  if (recordedBootId !== bootId) return recorded.hostname === here.hostname ? seen : 'unknown';
  const known = recorded.pidNamespace !== null && here.pidNamespace !== null;
  return known && recorded.pidNamespace !== here.pidNamespace ? 'unknown' : seen;
}

/** What an earlier supervisor's last heartbeat proves of a tree that is dead: when its end was not yet noticed. */
export function heartbeatEvidence(heartbeat: Heartbeat | null, ageMs: number | null): Record<string, unknown> | null {
  if (heartbeat === null || ageMs === null) return null;
  const { pid, at } = heartbeat;
  // R84: a fresh one changes no verdict, and says that the supervisor was there a moment ago.
  const note = isFresh(ageMs) ? 'its supervisor still gave signs of life, which prove nothing of the process' : null;
  return { pid, at, ageMs: Math.round(ageMs), ...(note === null ? {} : { note }) };
}

function isFresh(ageMs: number | null): boolean {
  return ageMs !== null && ageMs >= 0 && ageMs < HEARTBEAT_FRESH_MS;
}
