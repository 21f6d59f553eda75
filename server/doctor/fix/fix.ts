/**
 * What can be mended safely: each thing is done only when it is proven that nobody needs it as it is, and each is said.
 * It starts no service and no supervisor, ends nothing that a successor could adopt, and removes no evidence.
 */
import { claimWorkspace, describeClaimFailure, describeHeld } from '../../store/claim.ts';
import type { Workspace } from '../../store/paths.ts';
import { version } from '../../text/version.ts';
import type { DoctorFacts } from '../facts.ts';
import { orphansOf } from '../strays.ts';
import { tidyUp } from './leftovers.ts';
import { endOrphans } from './orphans.ts';
import { closeFiles } from './permissions.ts';
import type { FixOutcome } from './types.ts';
import { wakeStopped } from './wake.ts';

export interface FixOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Looks again, under the claim. */
  readonly gather: () => Promise<DoctorFacts>;
}

export async function applyFixes(facts: DoctorFacts, workspace: Workspace, options: FixOptions): Promise<FixOutcome[]> {
  const outcomes = [...(await wakeStopped(facts)), ...closeFiles(facts)];
  const wanted = needsClaim(facts);
  if (wanted.length === 0) return outcomes;
  const held = whyNotToClaim(facts);
  if (held !== null) {
    const message = `${wanted.join(', ')}: left alone, as ${held}`;
    return [...outcomes, { check: 'state', done: false, message }];
  }
  return [...outcomes, ...(await underClaim(facts, workspace, options))];
}

/** What only one who holds the workspace may touch: a supervisor that starts at this moment is about to use it. */
function needsClaim(facts: DoctorFacts): string[] {
  const { state, holder, trees } = facts;
  const leftovers = state.abandoned.length + state.sockets.length + state.forgottenExits.length > 0;
  return [
    ...(leftovers ? ['leftovers'] : []),
    ...(state.journalTorn ? ['the torn journal'] : []),
    ...(orphansOf(facts).length > 0 ? ['orphans'] : []),
    // While something runs, the lock of its dead supervisor says what became of that.
    ...(holder === 'dead' && trees.every((one) => one.members.length === 0) ? ['the stale lock'] : []),
  ];
}

function whyNotToClaim({ holder, lock, lockFile, supervisors, guardian, trees }: DoctorFacts): string | null {
  // A claim, released again, would take away the lock that tells clients of a supervisor that was lost.
  if (holder === 'dead' && trees.some((one) => one.members.length > 0))
    return 'what the lost supervisor has left still runs; `coppice up` takes it over';
  if (holder === 'alive') return `supervisor ${lock?.pid ?? ''} sees to it`;
  if (holder === 'elsewhere' || holder === 'unknown')
    return 'whether another supervisor lives cannot be told from here';
  if (supervisors.length > 0) return `supervisor process ${supervisors[0]?.identity.pid} runs`;
  if (guardian.kind === 'recorded' && guardian.liveness === 'alive' && guardian.gaveUp === null) {
    return 'its guardian is about to start a successor';
  }
  if (lockFile.kind === 'unreadable') return 'the lock cannot be read';
  return lockFile.foreignUser === null ? null : 'the lock is of another user';
}

async function underClaim(
  before: DoctorFacts,
  workspace: Workspace,
  { environment, gather }: FixOptions,
): Promise<FixOutcome[]> {
  // A moment at most: whoever wants the workspace meanwhile is told that it is held.
  const claimed = await claimWorkspace({ workspace, version: version(), limits: { maxHeapMb: 0 }, environment });
  if (!claimed.ok) {
    const message = 'held' in claimed ? describeHeld(claimed.held) : describeClaimFailure(claimed.failure);
    return [{ check: 'lock', done: false, message: `nothing else was mended: ${message}` }];
  }
  const { claim } = claimed;
  const outcomes: FixOutcome[] = [];
  try {
    if (claim.replaced?.kind === 'stale') {
      const message = `removed the lock of supervisor ${claim.replaced.previous.pid}, which is gone`;
      outcomes.push({ check: 'lock', done: true, message });
    }
    if (claim.replaced?.kind === 'corrupt') {
      const aside = claim.replaced.aside ?? 'nowhere';
      outcomes.push({ check: 'lock', done: true, message: `set the torn lock aside (${aside})` });
    }
    const facts = await gather();
    outcomes.push(...(await endOrphans(facts)));
    // Some of what was seen before went with the claim itself; it is told all the same.
    const { abandoned, sockets } = before.state;
    const also = (paths: readonly string[], more: readonly string[]): string[] => [...new Set([...more, ...paths])];
    const state = {
      ...facts.state,
      abandoned: also(facts.state.abandoned, abandoned),
      sockets: also(facts.state.sockets, sockets),
    };
    outcomes.push(...tidyUp(state, claim.stateDir));
    return outcomes;
  } finally {
    claim.release();
  }
}
