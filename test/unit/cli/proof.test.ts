import assert from 'node:assert/strict';
import { proofLines, proofSum } from '../../../server/cli/proof.ts';
import type { EmptyProof, TreeMember } from '../../../server/process/types.ts';

function member(pid: number): TreeMember {
  return { identity: { pid, startTime: '42', bootId: 'b' }, evidence: 'group', name: 'node' };
}

function proof(confirmed: number, survivors: EmptyProof['survivors'] = []): EmptyProof {
  const members = Array.from({ length: confirmed }, (_, index) => member(100 + index));
  return { confirmed: members, survivors, emptyScans: 2, killed: false, durationMs: 120 };
}

describe('the proof of emptiness', () => {
  it('sums trees and processes', () => {
    const trees = [
      { name: 'web', proof: proof(20) },
      { name: 'db', proof: proof(3) },
    ];
    assert.equal(proofSum(trees), 'Nothing is left: 2 trees, 23 processes confirmed gone.');
    assert.equal(proofLines(trees)[1], '  db   3 processes confirmed gone, 2 empty scans, 120ms');
  });

  it('says so when nothing was running', () => {
    assert.deepEqual(proofLines([]), ['Nothing is left: nothing was running.']);
  });

  it('lists each survivor with pid, start time and reason, and does not claim emptiness', () => {
    const survivor = { ...member(7), reason: 'in uninterruptible sleep' };
    const lines = proofLines([{ name: 'web', proof: proof(1, [survivor]) }]);
    assert.match(lines[1] ?? '', /pid 7 \(node\), started 42: in uninterruptible sleep/);
    assert.equal(lines[2], 'NOT EMPTY: 1 process could not be ended; 1 tree, 1 process confirmed gone.');
  });
});
