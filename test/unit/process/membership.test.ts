import assert from 'node:assert/strict';
import { census } from '../../../server/process/membership.ts';
import type { ProcessIdentity, TreeMember } from '../../../server/process/types.ts';
import { BOOT, identityOf, type RowSketch, tableOf, treeOf } from '../../support/tableOf.ts';

const MARKER = 'w/web/1/r4nd0m';
/** The caller stands apart from the tree unless a test puts it in. */
const SELF: RowSketch = { pid: 50, start: 1 };
const keeper = identityOf(90);
const leader = identityOf(100);

function ledgerOf(...identities: ProcessIdentity[]): { identities: () => ProcessIdentity[] } {
  return { identities: () => identities };
}

function members(
  rows: RowSketch[],
  tree = treeOf(leader, keeper),
  ledger: ReturnType<typeof ledgerOf> | null = null,
  settings: Parameters<typeof census>[3] = {},
): string[] {
  const found = census(tableOf([SELF, ...rows]), tree, ledger, { self: 50, groupTrust: 'corroborated', ...settings });
  return found.map(({ identity, evidence }: TreeMember) => `${identity.pid} ${evidence}`).sort();
}

describe('the census of a tree', () => {
  it('has the leader and everything below the keeper, but not the keeper', () => {
    const rows = [
      { pid: 90 },
      { pid: 100, parent: 90 },
      { pid: 101, parent: 100, group: 100 },
      { pid: 102, parent: 90 },
    ];
    assert.deepEqual(members(rows), ['100 leader', '101 keeper', '102 keeper']);
  });

  it('has what an emptied environment and an own session hide, by descent from the keeper', () => {
    assert.deepEqual(members([{ pid: 90 }, { pid: 130, parent: 90, group: 130, session: 130 }]), ['130 keeper']);
  });

  it('does not follow a keeper pid that another process has now', () => {
    assert.deepEqual(
      members([
        { pid: 90, start: 95 },
        { pid: 130, parent: 90 },
      ]),
      [],
    );
  });

  it('has the group and session of a living leader without a keeper', () => {
    const rows = [
      { pid: 100 },
      { pid: 101, group: 100, session: 100 },
      { pid: 102, group: 102, session: 100 },
      { pid: 103, parent: 102, group: 103, session: 103 },
      { pid: 104, group: 104, session: 104 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['100 leader', '101 group', '102 session', '103 lineage']);
  });

  it('has the group of a leader that is a zombie: its number is still taken', () => {
    const rows = [
      { pid: 100, state: 'Z' },
      { pid: 101, group: 100, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['101 group']);
  });

  it('has no zombies (R4)', () => {
    assert.deepEqual(
      members([{ pid: 90 }, { pid: 100, parent: 90, state: 'Z' }, { pid: 101, parent: 90, state: 'X' }]),
      [],
    );
  });

  it('has those with exactly the marker, wherever they went (R39)', () => {
    const rows = [
      { pid: 130, marker: MARKER },
      { pid: 131, marker: `${MARKER}0` },
      { pid: 132, marker: 'w/web/2/r4nd0m' },
      { pid: 133, parent: 130 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['130 marker', '133 lineage']);
  });

  it('has nobody by an empty marker', () => {
    assert.deepEqual(members([{ pid: 130, marker: '' }], { ...treeOf(leader), marker: '' }), []);
  });

  it('has nobody by marker who is older than the leader', () => {
    assert.deepEqual(members([{ pid: 130, start: 99, marker: MARKER }], treeOf(leader)), []);
  });

  it('has nobody whose environment cannot be read, by marker', () => {
    assert.deepEqual(members([{ pid: 130, marker: 'unreadable' }], treeOf(leader)), []);
  });

  it('has living members of the ledger and what they started since', () => {
    const rows = [{ pid: 130 }, { pid: 131, parent: 130, group: 131 }, { pid: 140, start: 141 }];
    const ledger = ledgerOf(identityOf(130), identityOf(140), identityOf(150));
    assert.deepEqual(members(rows, treeOf(leader), ledger), ['130 lineage', '131 lineage']);
  });

  it('never has the caller or its ancestors, though they carry the marker', () => {
    const rows = [
      { pid: 200, marker: MARKER },
      { pid: 210, parent: 200, marker: MARKER },
      { pid: 220, marker: MARKER },
    ];
    const found = census(tableOf(rows), treeOf(leader), null, { self: 210 });
    assert.deepEqual(
      found.map((member) => member.identity.pid),
      [220],
    );
  });

  it('keeps siblings of a caller that stands inside of the tree', () => {
    const rows = [
      { pid: 90, parent: 1 },
      { pid: 100, parent: 90 },
      { pid: 110, parent: 100 },
      { pid: 105, parent: 100 },
    ];
    // The keeper is an ancestor of the caller, so nothing below it is believed; the marker still is.
    const marked = rows.map((row) => (row.pid === 105 ? { ...row, marker: MARKER } : row));
    const found = census(tableOf(marked), treeOf(leader, keeper), null, { self: 110 });
    assert.deepEqual(
      found.map((member) => member.identity.pid),
      [105],
    );
  });

  it('has nobody when the record names an ancestor of the caller as leader or keeper', () => {
    const rows = [{ pid: 40 }, { pid: 50, parent: 40 }, { pid: 51, parent: 50 }, { pid: 41, parent: 40 }];
    assert.deepEqual(census(tableOf(rows), treeOf(identityOf(40), identityOf(40)), null, { self: 50 }), []);
  });

  it('never has pid 1', () => {
    const rows = [{ pid: 1, parent: 0, group: 1, start: 1, marker: MARKER }];
    assert.deepEqual(members(rows, { ...treeOf(identityOf(1)), group: 1, session: 1 }), []);
  });

  it('has nobody of a record from another boot (R7)', () => {
    const rows = [{ pid: 90 }, { pid: 100, parent: 90, marker: MARKER }];
    const other = '99999999-2222-3333-4444-555555555555';
    assert.deepEqual(members(rows, treeOf(identityOf(100, 100, other), identityOf(90, 90, other))), []);
    assert.notEqual(other, BOOT);
  });
});

describe('the census and numbers that came into other hands', () => {
  const stranger = { pid: 100, start: 200 };

  it('has nobody of the group that a recycled leader pid leads (R5, R40)', () => {
    assert.deepEqual(members([stranger, { pid: 101, parent: 100, group: 100, session: 100 }], treeOf(leader)), []);
  });

  it('has nobody of the group when the leader is gone and nobody else is known', () => {
    assert.deepEqual(members([{ pid: 101, group: 100, session: 100 }], treeOf(leader)), []);
  });

  it('has the group without its leader when one in it carries the marker (R38)', () => {
    const rows = [
      { pid: 101, group: 100, session: 100, marker: MARKER },
      { pid: 102, group: 100, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['101 group', '102 group']);
  });

  it('has the group without its leader when one in it is in the ledger', () => {
    const rows = [
      { pid: 101, group: 100, session: 100 },
      { pid: 102, group: 100, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader), ledgerOf(identityOf(102))), ['101 group', '102 group']);
  });

  it('has a job of the session without its leader when one in the session is known', () => {
    const rows = [
      { pid: 101, group: 101, session: 100, marker: MARKER },
      { pid: 102, group: 102, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['101 session', '102 session']);
  });

  it('does not take a group as proven by a member who left it', () => {
    const rows = [
      { pid: 101, group: 101, session: 101, marker: MARKER },
      { pid: 102, group: 100, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['101 marker']);
  });

  it('does not take a session as proven by a group of the same number in another session', () => {
    const rows = [
      { pid: 101, group: 100, session: 70, marker: MARKER },
      { pid: 102, group: 102, session: 100 },
    ];
    assert.deepEqual(members(rows, treeOf(leader)), ['101 marker']);
  });

  it('leaves processes of the group alone that are older than the leader', () => {
    assert.deepEqual(members([{ pid: 100 }, { pid: 60, group: 100, session: 100 }], treeOf(leader)), ['100 leader']);
  });

  for (const number of [0, 1, -1, Number.NaN]) {
    it(`takes nobody by group and session ${number} (R1)`, () => {
      const rows = [
        { pid: 100, group: 0, session: 0 },
        { pid: 101, group: number, session: number },
      ];
      assert.deepEqual(members(rows, { ...treeOf(leader), group: number, session: number }), ['100 leader']);
    });
  }

  it('ignores a record without a start time, but for its marker (R6)', () => {
    const rows = [{ pid: 100 }, { pid: 101, group: 100, session: 100 }, { pid: 130, marker: MARKER }];
    assert.deepEqual(members(rows, treeOf({ ...leader, startTime: '' })), ['130 marker']);
  });

  describe('where environments are hidden (macOS)', () => {
    const settings = { groupTrust: 'unless-recycled' } as const;

    it('has the group of a leader that is gone (R38)', () => {
      const rows = [{ pid: 101, group: 100, session: 0 }];
      assert.deepEqual(members(rows, treeOf(leader), null, settings), ['101 group']);
    });

    it('has nobody of the group when another process has the number', () => {
      assert.deepEqual(members([stranger, { pid: 101, group: 100, session: 0 }], treeOf(leader), null, settings), []);
    });
  });
});
