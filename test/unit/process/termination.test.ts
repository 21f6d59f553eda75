import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identify, liveness } from '../../../server/process/identity.ts';
import { createLedger } from '../../../server/process/membership.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import { reapTree, terminateTree } from '../../../server/process/termination.ts';
import type { EmptyProof } from '../../../server/process/types.ts';
import { bareTree, endBareTrees } from '../../support/bareTree.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const GENTLE = { stopSignal: 'SIGTERM', stopTimeoutMs: 5000 } as const;
const WAITS = ['sh', '-c', 'echo up; exec sleep 60'] as const;

function assertEmpty(proof: EmptyProof): void {
  assert.deepEqual(proof.survivors, []);
  assert.ok(proof.emptyScans >= 2, `${proof.emptyScans} empty scans`);
}

describe('the end of a tree', () => {
  after(() => {
    endBareTrees();
    removeTemporaryFolders();
  });

  it('is proven by two empty scans', async () => {
    const { tree } = await bareTree(WAITS);
    const proof = await terminateTree(tree, GENTLE);
    assertEmpty(proof);
    assert.equal(proof.killed, false);
    assert.deepEqual(
      proof.confirmed.map((member) => member.evidence),
      ['leader'],
    );
  });

  it('is stated at once for a tree that had ended before (R20, R80)', async () => {
    const { tree, child } = await bareTree(WAITS);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const proof = await terminateTree(tree, GENTLE);
    assertEmpty(proof);
    assert.deepEqual(proof.confirmed, []);
    assert.ok(proof.durationMs < 200, `${proof.durationMs} ms`);
  });

  it('is waited for in the whole tree, not in its leader', async () => {
    const done = join(temporaryFolder(), 'done');
    const slow = `trap 'sleep 0.2; echo > ${done}; exit' TERM; echo up; while :; do sleep 0.01; done`;
    const { tree } = await bareTree(['sh', '-c', `sh -c "$0" & wait`, slow]);
    const proof = await terminateTree(tree, GENTLE);
    assertEmpty(proof);
    assert.equal(proof.killed, false);
    assert.ok(existsSync(done), 'the child could clean up');
  });

  it('comes by SIGKILL only after the whole grace (R18, R19)', async () => {
    const { tree } = await bareTree(['sh', '-c', "trap '' TERM; echo up; while :; do sleep 1; done"]);
    const proof = await terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 150 });
    assertEmpty(proof);
    assert.equal(proof.killed, true);
    assert.ok(proof.durationMs >= 150, `${proof.durationMs} ms`);
  });

  it('comes at once without any grace when the timeout is 0', async () => {
    const mark = join(temporaryFolder(), 'asked');
    const { tree } = await bareTree(['sh', '-c', `trap 'echo > ${mark}' TERM; echo up; while :; do sleep 1; done`]);
    assertEmpty(await terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 0 }));
    assert.equal(existsSync(mark), false);
  });

  it('uses the stop signal that was asked for', async () => {
    const { tree, child } = await bareTree(WAITS);
    const exit = once(child, 'exit');
    await terminateTree(tree, { stopSignal: 'SIGINT', stopTimeoutMs: 5000 });
    assert.equal((await exit)[1], 'SIGINT');
  });

  it('comes gracefully for a process that was stopped', async () => {
    const { tree, child } = await bareTree(['sh', '-c', "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done"]);
    const exit = once(child, 'exit');
    child.kill('SIGSTOP');
    await until('the leader to stand still', () => readProcessTable().rows.get(tree.leader.pid)?.state === 'T');
    const proof = await terminateTree(tree, GENTLE);
    assertEmpty(proof);
    assert.equal(proof.killed, false);
    assert.deepEqual(await exit, [7, null]);
  });

  it('lets a clean-up command finish that the tree starts when it is asked to stop', async () => {
    const done = join(temporaryFolder(), 'cleaned');
    const cleanup = `(trap 'exit 1' TERM; sleep 0.3; echo > ${done})`;
    const { tree } = await bareTree([
      'sh',
      '-c',
      `trap '${cleanup.replaceAll("'", `'\\''`)}; exit' TERM; echo up; while :; do sleep 0.01; done`,
    ]);
    assertEmpty(await terminateTree(tree, GENTLE));
    assert.ok(existsSync(done));
  });

  it('is found twice when two ask for it at once (R15)', async () => {
    const { tree } = await bareTree(WAITS);
    const [first, second] = await Promise.all([terminateTree(tree, GENTLE), terminateTree(tree, GENTLE)]);
    assertEmpty(first);
    assertEmpty(second);
  });

  it('comes at once when it is reaped during the grace of another request', async () => {
    const { tree } = await bareTree(['sh', '-c', "trap '' TERM; echo up; while :; do sleep 1; done"]);
    const gentle = terminateTree(tree, { stopSignal: 'SIGTERM', stopTimeoutMs: 60_000 });
    assertEmpty(await reapTree(tree));
    assertEmpty(await gentle);
  });

  it('has a promise that does not reject when a listener throws', async () => {
    const { tree } = await bareTree(WAITS);
    const proof = await terminateTree(tree, {
      ...GENTLE,
      onProgress: () => {
        throw new Error('a bug elsewhere');
      },
    });
    assertEmpty(proof);
  });

  it('names its phases and the members in them', async () => {
    const { tree } = await bareTree(['sh', '-c', "trap '' TERM; echo up; while :; do sleep 1; done"]);
    const phases: string[] = [];
    await terminateTree(tree, {
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 20,
      onProgress: ({ phase, members }) => members.length > 0 && phases.push(phase),
    });
    assert.deepEqual([...new Set(phases)], ['signalled', 'proving', 'killing']);
  });

  it('leaves the ledger of its owner without members', async () => {
    const { tree } = await bareTree(WAITS);
    const ledger = createLedger({ initial: [tree.leader] });
    await terminateTree(tree, { ...GENTLE, ledger });
    assert.deepEqual(ledger.identities(), []);
  });

  it('is not claimed for a leader that cannot be verified, and that is not signalled (R6)', async () => {
    const { tree, child } = await bareTree(WAITS);
    const forged = { ...tree, leader: { ...tree.leader, startTime: '' }, marker: 'of/another/1/tree' };
    const proof = await terminateTree(forged, { stopSignal: 'SIGKILL', stopTimeoutMs: 100 });
    assert.equal(proof.emptyScans, 0);
    assert.match(proof.survivors[0]?.reason ?? '', /no start time/);
    assert.equal(liveness(tree.leader), 'alive');
    child.kill('SIGKILL');
  });

  it('is not claimed for processes of another user, which are listed with the reason (R78)', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip();
    const { tree, child } = await bareTree(['sh', '-c', 'sleep 60 & echo up; wait']);
    const program = join(import.meta.dirname, '../../support/programs/terminate-as-other-user.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(tree)]);
    const proof = JSON.parse(stdout) as EmptyProof;
    assert.equal(proof.emptyScans, 0);
    assert.equal(proof.survivors.length, 2);
    for (const { reason } of proof.survivors) assert.match(reason, /another user/);
    assert.equal(proof.survivors[0]?.identity.startTime, identify(tree.leader.pid)?.startTime);
    assertEmpty(await reapTree(tree));
    child.kill('SIGKILL');
  });

  it('is not claimed while no file handle is left to look with, and comes when there is one', async function () {
    if (process.platform !== 'linux') this.skip();
    const { tree, child } = await bareTree(WAITS);
    const program = join(import.meta.dirname, '../../support/programs/stop-without-handles.ts');
    const script = 'ulimit -n 64; exec "$@"';
    const argv = ['-c', script, 'sh', process.execPath, program, JSON.stringify(tree)];
    const { stdout } = await promisify(execFile)('sh', argv);
    const [without, later] = JSON.parse(stdout) as [EmptyProof, EmptyProof];
    assert.equal(without.emptyScans, 0);
    assert.match(without.survivors[0]?.reason ?? '', /could not be read.*EMFILE/);
    assertEmpty(later);
    assert.equal(later.confirmed.length, 1);
    child.kill('SIGKILL');
  });
});
