/**
 * When the memory of a tree is a reason to act. The cheap figure counts shared pages several times, and a tree that
 * forks looks twice its size for a moment; so a level is entered only after three samples in a row and only when the
 * exact figure agrees, and left only when three in a row are clearly below.
 */
import { pause, untilNextTick } from './pause.ts';

export type MemoryLevel = 'ok' | 'warn' | 'over';

export interface MemoryLimits {
  readonly warnBytes: number | null;
  readonly maxBytes: number | null;
}

export interface MemoryVerdict {
  readonly level: MemoryLevel;
  /** The level that the latest samples speak for, and how many of them in a row. */
  readonly candidate: MemoryLevel;
  readonly count: number;
}

export const INITIAL_VERDICT: MemoryVerdict = { level: 'ok', candidate: 'ok', count: 0 };

/** So many samples in a row before a level counts. */
export const SAMPLES_TO_CHANGE = 3;
/** A level is left below this part of its threshold, so that a figure that wavers about it does not flap. */
export const RELEASE_FRACTION = 0.9;

/** The verdict after one more sample; `confirm`: ask for the exact figure, and tell `confirmMemory`. */
export function sampleMemory(
  verdict: MemoryVerdict,
  bytes: number,
  limits: MemoryLimits,
): { readonly verdict: MemoryVerdict; readonly confirm: boolean } {
  const candidate = levelOf(bytes, limits, verdict.level);
  if (candidate === verdict.level) return { verdict: { level: candidate, candidate, count: 0 }, confirm: false };
  const count = candidate === verdict.candidate ? verdict.count + 1 : 1;
  if (count < SAMPLES_TO_CHANGE) return { verdict: { ...verdict, candidate, count }, confirm: false };
  if (isHigher(candidate, verdict.level)) return { verdict: { ...verdict, candidate, count }, confirm: true };
  return { verdict: { level: candidate, candidate, count: 0 }, confirm: false };
}

/** The verdict once the exact figure is known. When it disagrees, the samples have to be gathered anew. */
export function confirmMemory(verdict: MemoryVerdict, exactBytes: number, limits: MemoryLimits): MemoryVerdict {
  const exact = levelOf(exactBytes, limits, verdict.level);
  const level = isHigher(exact, verdict.level) ? exact : verdict.level;
  return { level, candidate: level, count: 0 };
}

/** How soon to look again: seldom while there is room, often near a limit. */
export function memoryInterval(bytes: number, limits: MemoryLimits): number {
  const lowest = Math.min(limits.warnBytes ?? Number.POSITIVE_INFINITY, limits.maxBytes ?? Number.POSITIVE_INFINITY);
  return bytes >= lowest / 2 ? NEAR_LIMIT_MS : WITH_ROOM_MS;
}

export interface MemoryWatch {
  readonly limits: () => MemoryLimits;
  /** Cheap, for every look; `null`: cannot be measured now, which is no sample. */
  readonly sample: () => Promise<number | null>;
  /** Exact, before a level is entered. */
  readonly confirm: () => Promise<number | null>;
  readonly signal: AbortSignal;
  readonly onSample: (bytes: number) => void;
  /** Told when the level changes. */
  readonly onVerdict: (level: MemoryLevel, bytes: number) => void;
  /** Default: `memoryInterval`. */
  readonly interval?: (bytes: number, limits: MemoryLimits) => number;
  readonly now?: () => number;
}

/** Looks at the memory of a tree until `signal` is aborted. */
export function watchMemory(watch: MemoryWatch): void {
  void look(watch);
}

async function look(watch: MemoryWatch): Promise<void> {
  const { signal, interval = memoryInterval, now = Date.now } = watch;
  let verdict = INITIAL_VERDICT;
  let wait = FIRST_LOOK_MS;
  while (await pause(wait, signal)) {
    const limits = watch.limits();
    const bytes = await watch.sample();
    if (signal.aborted) return;
    wait = untilNextTick(now(), interval(bytes ?? 0, limits));
    if (bytes === null) continue;
    watch.onSample(bytes);
    const before = verdict.level;
    const sampled = sampleMemory(verdict, bytes, limits);
    verdict = sampled.verdict;
    let measured = bytes;
    if (sampled.confirm) {
      const exact = await watch.confirm();
      if (signal.aborted) return;
      measured = exact ?? bytes;
      verdict = confirmMemory(verdict, measured, limits);
    }
    if (verdict.level !== before) watch.onVerdict(verdict.level, measured);
  }
}

const FIRST_LOOK_MS = 1_000;
const NEAR_LIMIT_MS = 2_000;
const WITH_ROOM_MS = 15_000;

const ORDER: readonly MemoryLevel[] = ['ok', 'warn', 'over'];

function isHigher(a: MemoryLevel, b: MemoryLevel): boolean {
  return ORDER.indexOf(a) > ORDER.indexOf(b);
}

/** The level of a figure for a tree that is in `current`: what it is in already, it leaves later than it entered. */
function levelOf(bytes: number, { warnBytes, maxBytes }: MemoryLimits, current: MemoryLevel): MemoryLevel {
  const reaches = (level: MemoryLevel, limit: number | null): boolean => {
    if (limit === null) return false;
    const held = !isHigher(level, current);
    return held ? bytes > limit * RELEASE_FRACTION : bytes > limit;
  };
  if (reaches('over', maxBytes)) return 'over';
  return reaches('warn', warnBytes) ? 'warn' : 'ok';
}
