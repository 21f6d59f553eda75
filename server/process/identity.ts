import { platform } from './platform/index.ts';
import type { Observation } from './platform/types.ts';
import type { Liveness, ProcessIdentity } from './types.ts';

/** Opaque name of this boot of the machine, part of every identity; empty when the system does not tell. */
export function bootId(): string {
  return platform.bootId();
}

/** Whether `value` can be a process at all. 0, negatives and fractions mean groups or nothing to kill(2). */
export function isValidPid(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 0x7fff_ffff && Number.isInteger(value);
}

/**
 * The identity of the process that has this pid now; `null` when there is none or only a zombie. Where the start time
 * cannot be had at once (macOS, Windows without a fresh reading) it is empty, which makes the identity unverifiable.
 */
export function identify(pid: number): ProcessIdentity | null {
  if (!isValidPid(pid)) return null;
  const seen = platform.observe(pid);
  switch (seen.kind) {
    case 'absent':
      return null;
    case 'hidden':
      return { pid, startTime: '', bootId: bootId() };
    case 'present':
      return seen.dead ? null : { pid, startTime: seen.row.startTime, bootId: bootId() };
    default:
      return unreachable(seen);
  }
}

/** `identify` with a fresh reading where one is needed for a start time. */
export async function identifyFresh(pid: number): Promise<ProcessIdentity | null> {
  const identity = identify(pid);
  if (identity === null || identity.startTime !== '') return identity;
  try {
    await platform.readTableAsync();
  } catch {
    return identity;
  }
  return identify(pid);
}

/** The one liveness test of the project: is this very process, and no later holder of its pid, running? */
export function liveness(identity: ProcessIdentity): Liveness {
  if (!isValidPid(identity.pid)) return 'gone';
  return judge(identity, platform.observe(identity.pid), bootId());
}

/** The rules of `liveness` as a function of what was seen. */
export function judge(identity: ProcessIdentity, seen: Observation, currentBootId: string): Liveness {
  if (!isValidPid(identity.pid)) return 'gone';
  switch (seen.kind) {
    case 'absent':
      return 'gone';
    case 'hidden':
      return isAnotherBoot(identity.bootId, currentBootId) ? 'recycled' : 'unknown';
    case 'present':
      if (isAnotherBoot(identity.bootId, currentBootId)) return 'recycled';
      if (identity.startTime === '' || seen.row.startTime === '') return 'unknown';
      if (identity.bootId === '' || identity.bootId !== currentBootId) return 'unknown';
      if (identity.startTime !== seen.row.startTime) return 'recycled';
      return seen.dead ? 'zombie' : 'alive';
    default:
      return unreachable(seen);
  }
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId;
}

/** Key of an identity for maps and sets. */
export function identityKey(identity: ProcessIdentity): string {
  return `${identity.pid}:${identity.startTime}:${identity.bootId}`;
}

const BOOT_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Only two boot ids of the same known form prove that the machine was started anew; another form proves nothing. */
function isAnotherBoot(recorded: string, current: string): boolean {
  return recorded !== current && BOOT_UUID.test(recorded) && BOOT_UUID.test(current);
}

function unreachable(value: never): never {
  throw new Error(`unexpected observation ${JSON.stringify(value)}`);
}
