import assert from 'node:assert/strict';
import { join } from 'node:path';
import { bootId, liveness } from '../../server/process/identity.ts';
import { createLedger } from '../../server/process/membership.ts';
import { readProcessTable } from '../../server/process/table.ts';
import { reapTree, terminateTree } from '../../server/process/termination.ts';
import type { EmptyProof, ProcessIdentity, TreeIdentity } from '../../server/process/types.ts';
import { bareTree, endBareTrees } from '../support/bareTree.ts';
import { carriers, endEscapees, leftOf, startEscapee } from '../support/escapees.ts';
import { until } from '../support/until.ts';

const GENTLE = { stopSignal: 'SIGTERM', stopTimeoutMs: 300 } as const;
const hopper = join(import.meta.dirname, '../support/programs/hop.sh');

function assertEmpty(proof: EmptyProof): void {
  assert.deepEqual(proof.survivors, []);
  assert.ok(proof.emptyScans >= 2, `${proof.emptyScans} empty scans`);
}

function onlyLinux(this: Mocha.Context): void {
  if (process.platform !== 'linux') this.skip();
}

describe('a tree that forks while it is stopped leaves nobody behind', () => {
  before(onlyLinux);
  afterEach(endEscapees);

  const storms: [string, string][] = [
    ['into its own group', 'echo $$; trap "" TERM; while :; do sleep 600 & sleep 0.01; done'],
    ['into new sessions', 'echo $$; trap "" TERM; while :; do setsid sleep 600 & sleep 0.01; done'],
    [
      'into new sessions that fork as well',
      'echo $$; trap "" TERM; for i in 1 2 3; do setsid sh -c "trap \\"\\" TERM; while :; do setsid sleep 600 & sleep 0.02; done" & done; wait; sleep 600',
    ],
  ];
  for (const [name, script] of storms) {
    it(`${name}, 10 times`, async () => {
      for (let round = 0; round < 10; round++) {
        const tree = await startEscapee(['/bin/sh', '-c', script], 1);
        const proof = await terminateTree(tree.identity, { stopSignal: 'SIGTERM', stopTimeoutMs: 30 });
        assert.deepEqual(leftOf(tree), []);
        assertEmpty(proof);
      }
    });
  }

  it('from session to session, each process living for milliseconds', async () => {
    for (let round = 0; round < 5; round++) {
      const tree = await startEscapee([hopper], 1);
      const proof = await terminateTree(tree.identity, { stopSignal: 'SIGTERM', stopTimeoutMs: 50 });
      assert.deepEqual(leftOf(tree), [], JSON.stringify(proof));
      assertEmpty(proof);
    }
  });
});

describe('a keeper', () => {
  before(onlyLinux);
  afterEach(endEscapees);

  it('that was stopped does not hold up the end of its tree', async () => {
    const tree = await startEscapee(['/bin/sh', '-c', 'echo $$; exec sleep 600'], 1);
    const keeper = tree.identity.keeper;
    assert.ok(keeper);
    process.kill(keeper.pid, 'SIGSTOP');
    await until('the keeper to stand still', () => readProcessTable().rows.get(keeper.pid)?.state === 'T');
    const proof = await terminateTree(tree.identity, GENTLE);
    assertEmpty(proof);
    assert.equal(proof.killed, false);
    assert.deepEqual(leftOf(tree), []);
  });

  it('is not sent the stop signal: it ends by itself when the tree is empty', async () => {
    const tree = await startEscapee(['/bin/sh', '-c', 'echo $$; exec sleep 600'], 1);
    const proof = await terminateTree(tree.identity, GENTLE);
    assert.equal(proof.killed, false);
    assert.ok(proof.confirmed.every((member) => member.identity.pid !== tree.identity.keeper?.pid));
    assert.deepEqual(await tree.exited, { code: null, signal: 'SIGTERM' });
  });
});

describe('a stranger is not hurt', () => {
  before(onlyLinux);
  afterEach(endEscapees);
  after(endBareTrees);

  async function stranger(): Promise<{ identity: ProcessIdentity; second: number; end: () => void }> {
    const { tree, lines } = await bareTree(['sh', '-c', 'sleep 600 & echo $!; wait']);
    return { identity: tree.leader, second: Number(lines[0]), end: () => void reapTree(tree) };
  }

  it('by a record with its pid, group and session but another start time (R5, R7, R40)', async () => {
    const { identity, second, end } = await stranger();
    const recycled = { pid: identity.pid, startTime: String(Number(identity.startTime) - 1), bootId: bootId() };
    const records: TreeIdentity[] = [
      { leader: recycled, keeper: null, group: identity.pid, session: identity.pid, marker: 'a/b/1/c' },
      { leader: recycled, keeper: recycled, group: identity.pid, session: identity.pid, marker: 'a/b/1/c' },
      {
        leader: { ...identity, bootId: bootId().replace(/./g, (c) => (c === '-' ? c : '0')) },
        keeper: null,
        group: identity.pid,
        session: identity.pid,
        marker: 'a/b/1/c',
      },
      {
        leader: { ...recycled, pid: second },
        keeper: null,
        group: identity.pid,
        session: identity.pid,
        marker: 'a/b/1/c',
      },
    ];
    for (const record of records) {
      const ledger = createLedger({ initial: [recycled, { ...recycled, pid: second }] });
      assertEmpty(await terminateTree(record, { stopSignal: 'SIGTERM', stopTimeoutMs: 50, ledger }));
      assertEmpty(await reapTree(record, { ledger }));
      assert.equal(liveness(identity), 'alive');
      assert.ok(readProcessTable().rows.has(second));
    }
    end();
  });

  it('by a record that names the stopping process or its parent as leader and keeper', async () => {
    // Both are put into a tree of the test, so that a failure hurts nobody else.
    const program = join(import.meta.dirname, '../support/programs/stop-own-parents.ts');
    const script = `sleep 600 & echo $!; "${process.execPath}" "${program}"; echo survived; wait`;
    const { tree, lines } = await bareTree(['sh', '-c', script]);
    await until('the parent to go on', () => lines.includes('survived'), { timeoutMs: 15_000 });
    const proofs = lines.filter((line) => line.startsWith('[')).flatMap((line) => JSON.parse(line) as EmptyProof[]);
    assert.equal(proofs.length, 2);
    for (const proof of proofs) {
      assert.equal(proof.killed, false);
      assert.deepEqual(proof.confirmed, []);
      assert.match(proof.survivors[0]?.reason ?? '', /runs inside of it/);
    }
    assert.equal(liveness(tree.leader), 'alive');
    assert.ok(readProcessTable().rows.has(Number(lines[0])), 'the sibling lives');
    assertEmpty(await reapTree(tree));
  });

  it('by the end of a tree beside it', async () => {
    const { identity, second, end } = await stranger();
    const tree = await startEscapee(['/bin/sh', '-c', 'sleep 600 & echo $!; wait'], 1);
    const other = await startEscapee(['/bin/sh', '-c', 'sleep 600 & echo $!; wait'], 1);
    assertEmpty(await reapTree(tree.identity));
    assert.equal(liveness(identity), 'alive');
    assert.ok(readProcessTable().rows.has(second));
    assert.equal(liveness(other.identity.leader), 'alive');
    assert.ok(carriers(other.identity.marker).length >= 2);
    assertEmpty(await reapTree(other.identity));
    end();
  });
});
