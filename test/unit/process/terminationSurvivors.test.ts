import assert from 'node:assert/strict';
import { identityKey } from '../../../server/process/identity.ts';
import type { SignalOutcome } from '../../../server/process/signal.ts';
import { describeSurvivors } from '../../../server/process/survivors.ts';
import { type KillRecord, mayEndTree, parentPidsAreTrue } from '../../../server/process/sweep.ts';
import type { TreeMember } from '../../../server/process/types.ts';
import { identityOf, tableOf, treeOf } from '../../support/tableOf.ts';

function reasonOf(state: string, outcome?: SignalOutcome): string {
  const member: TreeMember = { identity: identityOf(100), evidence: 'lineage', name: 'x' };
  const killed: KillRecord = new Map();
  if (outcome !== undefined) killed.set(identityKey(member.identity), { outcome, at: 1000 });
  return describeSurvivors([member], killed, tableOf([{ pid: 100, state }]), 4000)[0]?.reason ?? '';
}

describe('the reason why a process survived', () => {
  it('is uninterruptible sleep in state D', () => assert.match(reasonOf('D', 'delivered'), /uninterruptible sleep/));
  it('is missing permission', () => assert.match(reasonOf('S', 'permission'), /another user/));
  it('is missing permission even in state D', () => assert.match(reasonOf('D', 'permission'), /another user/));
  it('is an identity that could not be verified', () =>
    assert.match(reasonOf('S', 'refused'), /could not be verified/));
  it('is forking, for one that came after the last SIGKILL', () => assert.match(reasonOf('R'), /kept forking/));
  it('says how long SIGKILL had no effect otherwise', () => {
    assert.equal(reasonOf('S', 'delivered'), 'still alive 3000 ms after SIGKILL (state S)');
  });
});

describe('a tree kill that follows parent pids blindly', () => {
  it('is used when every child is younger than its parent', () => {
    assert.equal(parentPidsAreTrue(tableOf([{ pid: 10 }, { pid: 11, parent: 10 }, { pid: 12, parent: 11 }]), 10), true);
  });

  it('is not used when a process older than its parent shows that the parent pid was recycled', () => {
    const rows = [{ pid: 10 }, { pid: 11, parent: 10, start: 500 }, { pid: 12, parent: 11, start: 400 }];
    assert.equal(parentPidsAreTrue(tableOf(rows), 10), false);
  });

  it('is not used for a leader that is not verified', () => {
    assert.equal(mayEndTree(treeOf(identityOf(process.pid)), tableOf([{ pid: process.pid }])), false);
  });
});
