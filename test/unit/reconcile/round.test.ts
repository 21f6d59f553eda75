import assert from 'node:assert/strict';
import {
  type FailedEnds,
  judgeEnd,
  judgeRound,
  NO_MEMORY,
  type RecordedTree,
  type RoundAct,
  type Seen,
  stillFailed,
} from '../../../server/reconcile/round.ts';
import type { Verdict } from '../../../server/reconcile/verdict.ts';

/** The acts of each round. */
function rounds(...seen: Partial<Seen>[]): (readonly RoundAct[])[] {
  let memory = NO_MEMORY;
  return seen.map((one) => {
    const judged = judgeRound(memory, { recorded: [], strange: [], ...one });
    memory = judged.memory;
    return judged.acts;
  });
}

function recorded(standing: RecordedTree['standing'], verdict: Verdict): Partial<Seen> {
  return { recorded: [{ marker: 'm', standing, verdict }] };
}

function strange(change: { launching?: boolean; elsewhere?: boolean } = {}): Partial<Seen> {
  return { strange: [{ marker: 'm', launching: false, elsewhere: false, ...change }] };
}

const marker = 'm';

describe('a round of the reconciler', () => {
  for (const verdict of ['alive', 'presumed_alive'] as const) {
    it(`leaves a tree alone that is ${verdict.replace('_', ' ')} and followed`, () => {
      const same = recorded('followed', verdict);
      assert.deepEqual(rounds(same, same, same), [[], [], []]);
    });
  }

  for (const verdict of ['finished', 'dead'] as const) {
    it(`tells whoever follows a ${verdict} tree, once, when it is so for the second time`, () => {
      const same = recorded('followed', verdict);
      assert.deepEqual(rounds(same, same), [[], [{ kind: 'tell_end', marker, verdict }]]);
    });
  }

  it('tells nothing when the end was noticed between two rounds', () => {
    assert.deepEqual(rounds(recorded('followed', 'dead'), {}, recorded('followed', 'dead')), [[], [], []]);
  });

  for (const verdict of ['alive', 'finished', 'dead'] as const) {
    it(`ends a recorded tree that is ${verdict} and that nobody follows, in the second round`, () => {
      const same = recorded('unfollowed', verdict);
      assert.deepEqual(rounds(same, same), [[], [{ kind: 'end_recorded', marker, verdict }]]);
    });

    it(`takes a tree over that was presumed alive and turns out to be ${verdict}`, () => {
      const presumed = recorded('unfollowed', 'presumed_alive');
      assert.deepEqual(rounds(presumed, presumed, recorded('unfollowed', verdict)), [
        [],
        [],
        [{ kind: 'take_over', marker, verdict }],
      ]);
    });
  }

  it('ends nothing that came to be followed between two rounds', () => {
    assert.deepEqual(rounds(recorded('unfollowed', 'alive'), recorded('followed', 'alive')), [[], []]);
  });

  it('looks at what an end left in every round', () => {
    const same = recorded('leftover', 'alive');
    const act = { kind: 'end_recorded', marker, verdict: 'alive' };
    assert.deepEqual(rounds(same, same), [[act], [act]]);
  });

  it('ends an unrecorded tree when it is seen for the second time', () => {
    assert.deepEqual(rounds(strange(), strange()), [[], [{ kind: 'end_strange', marker }]]);
  });

  it('ends no unrecorded tree that was entered between two rounds', () => {
    assert.deepEqual(rounds(strange(), recorded('followed', 'alive')), [[], []]);
  });

  it('counts no round in which a tree is being launched', () => {
    assert.deepEqual(rounds(strange({ launching: true }), strange(), strange({ launching: true })), [[], [], []]);
  });

  it('leaves a tree of another pid namespace alone', () => {
    const other = strange({ elsewhere: true });
    assert.deepEqual(rounds(other, other, other), [[], [], []]);
  });
});

describe('an end that leaves somebody', () => {
  /** Survivors of each try; gives which of them were told. */
  function told(...survivors: number[]): boolean[] {
    let failed: FailedEnds = new Set();
    return survivors.map((count) => {
      const judged = judgeEnd(failed, marker, count);
      failed = judged.failed;
      return judged.tell;
    });
  }

  it('is told once, and once more when nothing is left (R98)', () => {
    assert.deepEqual(told(2, 2, 2, 1, 0), [true, false, false, false, true]);
  });

  it('is news again after it was over', () => assert.deepEqual(told(1, 0, 1, 1), [true, true, true, false]));

  it('is forgotten when what was left is gone by itself, and kept as long as it is seen', () => {
    const failed = judgeEnd(new Set(), marker, 1).failed;
    const kept = [strange(), recorded('unfollowed', 'alive'), {}].map(
      (one) => stillFailed(failed, { recorded: [], strange: [], ...one }).size,
    );
    assert.deepEqual(kept, [1, 1, 0]);
  });
});
