/** One round of the reconciler, as a pure function: what was seen, what was odd the last time, what is to be done. */
import type { Verdict } from './verdict.ts';

/** A tree on record. */
export interface RecordedTree {
  readonly marker: string;
  readonly verdict: Verdict;
  /**
   * `followed`: a service, task or command waits for its end. `unfollowed`: nobody does. `leftover`: its end was proven
   * to have left something, which is looked at until it is gone.
   */
  readonly standing: 'followed' | 'unfollowed' | 'leftover';
}

/** A tree of this workspace that is on no record. */
export interface StrangeTree {
  readonly marker: string;
  /** It is being launched, and enters the registry in a moment. */
  readonly launching: boolean;
  /** It runs in another pid namespace, where another supervisor may look after it. */
  readonly elsewhere: boolean;
}

export interface Seen {
  readonly recorded: readonly RecordedTree[];
  readonly strange: readonly StrangeTree[];
}

export type RoundAct =
  /** Whoever follows it missed the end of its leader. */
  | { readonly kind: 'tell_end'; readonly marker: string; readonly verdict: 'finished' | 'dead' }
  /** It was presumed alive, and can be judged now. */
  | { readonly kind: 'take_over'; readonly marker: string; readonly verdict: Exclude<Verdict, 'presumed_alive'> }
  /** Nobody goes on with it. */
  | { readonly kind: 'end_recorded'; readonly marker: string; readonly verdict: Verdict }
  | { readonly kind: 'end_strange'; readonly marker: string };

/** What a round leaves for the next; both by marker. */
export interface RoundMemory {
  readonly odd: ReadonlySet<string>;
  readonly presumed: ReadonlySet<string>;
}

export const NO_MEMORY: RoundMemory = { odd: new Set(), presumed: new Set() };

/** The trees, by marker, whose end was tried and left somebody. */
export type FailedEnds = ReadonlySet<string>;

/**
 * What is told of an end that was tried: one that left somebody once, however many rounds try again, and once more when
 * nothing is left (R98).
 */
export function judgeEnd(
  failed: FailedEnds,
  marker: string,
  survivors: number,
): { readonly failed: FailedEnds; readonly tell: boolean } {
  if (survivors > 0) return { failed: new Set([...failed, marker]), tell: !failed.has(marker) };
  return { failed: new Set([...failed].filter((one) => one !== marker)), tell: true };
}

/** One that vanished by itself is forgotten: whatever comes under its marker later is news. */
export function stillFailed(failed: FailedEnds, { recorded, strange }: Seen): FailedEnds {
  const seen = new Set([...recorded, ...strange].map(({ marker }) => marker));
  return new Set([...failed].filter((marker) => seen.has(marker)));
}

/**
 * Whatever is odd must be so in two rounds: between two awaits of a launch or an end everything looks odd for a moment,
 * and a machine that wakes up shows ends that are being told of right now.
 */
export function judgeRound(memory: RoundMemory, seen: Seen): { memory: RoundMemory; acts: readonly RoundAct[] } {
  const odd = new Set<string>();
  const presumed = new Set<string>();
  const acts: RoundAct[] = [];
  const doubt = (marker: string, act: RoundAct): void => {
    if (memory.odd.has(marker)) acts.push(act);
    else odd.add(marker);
  };
  for (const { marker, verdict, standing } of seen.recorded) {
    switch (standing) {
      case 'followed':
        if (verdict === 'finished' || verdict === 'dead') doubt(marker, { kind: 'tell_end', marker, verdict });
        break;
      case 'unfollowed':
        if (verdict === 'presumed_alive') presumed.add(marker);
        else if (memory.presumed.has(marker)) acts.push({ kind: 'take_over', marker, verdict });
        else doubt(marker, { kind: 'end_recorded', marker, verdict });
        break;
      case 'leftover':
        acts.push({ kind: 'end_recorded', marker, verdict });
        break;
      default:
        standing satisfies never;
    }
  }
  for (const { marker, launching, elsewhere } of seen.strange) {
    if (!launching && !elsewhere) doubt(marker, { kind: 'end_strange', marker });
  }
  return { memory: { odd, presumed }, acts };
}
