import { identityKey, liveness } from './identity.ts';
import type { KillRecord } from './sweep.ts';
import type { ProcessTable } from './table.ts';
import type { ProcessIdentity, Survivor, TreeMember } from './types.ts';

/** Members that are left after the last round of SIGKILL, each with the reason in words. */
export function describeSurvivors(
  members: readonly TreeMember[],
  killed: KillRecord,
  table: ProcessTable | null,
  now: number = performance.now(),
): Survivor[] {
  return members.map((member) => {
    const state = table?.rowOf(member.identity)?.state ?? '?';
    return { ...member, reason: reasonFor(state, killed.get(identityKey(member.identity)), now) };
  });
}

/**
 * The leader, when empty scans say nothing about it: it could not be looked for, or this very process stands below it.
 * `null` when it is gone or listed already.
 */
export function missedLeader(leader: ProcessIdentity, listed: readonly Survivor[]): Survivor | null {
  if (listed.some((survivor) => survivor.identity.pid === leader.pid)) return null;
  const state = liveness(leader);
  if (state !== 'unknown' && state !== 'alive') return null;
  return { identity: leader, evidence: 'leader', name: '', reason: reasonForLeader(leader, state) };
}

function reasonForLeader(leader: ProcessIdentity, state: 'unknown' | 'alive'): string {
  if (state === 'alive') return `the process that was to stop it (pid ${process.pid}) runs inside of it`;
  if (leader.startTime !== '') return 'its identity cannot be verified from here, so it was not signalled';
  return 'its record has no start time, so it cannot be told from another process with this pid';
}

type Kill = KillRecord extends Map<string, infer Value> ? Value : never;

function reasonFor(state: string, kill: Kill | undefined, now: number): string {
  if (kill === undefined) return 'the tree kept forking: it appeared after the last SIGKILL';
  if (kill.outcome === 'permission') return 'belongs to another user: no permission to signal it';
  if (kill.outcome === 'refused') return 'its identity could not be verified, so it was not signalled';
  // D on Linux, U on macOS.
  if (state.startsWith('D') || state.startsWith('U')) {
    return `in uninterruptible sleep (state ${state}): the kernel ends it when its system call returns`;
  }
  return `still alive ${Math.round(now - kill.at)} ms after SIGKILL (state ${state})`;
}
