import assert from 'node:assert/strict';
import { findVariable } from '../../../server/process/platform/linux/environment.ts';
import {
  nextTable,
  readCommandLine,
  readEnvironmentVariable,
  readProcessTable,
} from '../../../server/process/table.ts';
import { bareTree, endBareTrees } from '../../support/bareTree.ts';
import { identityOf, tableOf } from '../../support/tableOf.ts';
import { until } from '../../support/until.ts';

describe('the process table', () => {
  after(endBareTrees);

  it('holds this process with its parent, group and name', function () {
    if (process.platform !== 'linux') this.skip();
    const row = readProcessTable().rows.get(process.pid);
    assert.equal(row?.parent, process.ppid);
    assert.ok(row && row.group > 0 && row.session >= 0 && row.name.length > 0);
  });

  it('leaves out kernel threads', function () {
    if (process.platform !== 'linux') this.skip();
    assert.deepEqual(
      [...readProcessTable().rows.values()].filter((row) => row.name.startsWith('kworker/')),
      [],
    );
  });

  it('gives children and all descendants, nearest first', () => {
    const table = tableOf([{ pid: 10 }, { pid: 11, parent: 10 }, { pid: 13, parent: 12 }, { pid: 12, parent: 10 }]);
    assert.deepEqual(
      table
        .childrenOf(10)
        .map((row) => row.pid)
        .sort(),
      [11, 12],
    );
    assert.deepEqual(
      table.descendantsOf(10).map((row) => row.pid),
      [11, 12, 13],
    );
    assert.deepEqual(table.descendantsOf(99), []);
  });

  it('does not take a process for the child of a younger one: that parent pid was recycled', () => {
    const table = tableOf([
      { pid: 10, start: 500 },
      { pid: 11, parent: 10, start: 400 },
    ]);
    assert.deepEqual(table.descendantsOf(10), []);
  });

  it('ends on a circle of parents in a torn reading', () => {
    const table = tableOf([
      { pid: 10, parent: 11, start: 1 },
      { pid: 11, parent: 10, start: 1 },
    ]);
    assert.deepEqual(
      table.descendantsOf(10).map((row) => row.pid),
      [11],
    );
  });

  it('reads no environment of a process that is older than the tree', () => {
    const read: number[] = [];
    const table = tableOf(
      [
        { pid: 10, marker: 'm' },
        { pid: 20, marker: 'm' },
      ],
      (pid) => read.push(pid),
    );
    assert.deepEqual(
      table.markedWith('m', '15').map((row) => row.pid),
      [20],
    );
    assert.deepEqual(read, [20]);
  });

  it('reads each environment once however many trees ask', () => {
    const read: number[] = [];
    const table = tableOf(
      [
        { pid: 10, marker: 'a' },
        { pid: 20, marker: 'b' },
      ],
      (pid) => read.push(pid),
    );
    table.markedWith('b', '15');
    assert.deepEqual(
      table.markedWith('a', '5').map((row) => row.pid),
      [10],
    );
    assert.deepEqual(
      table.markedWith('b', '1').map((row) => row.pid),
      [20],
    );
    assert.deepEqual(read, [20, 10]);
  });

  it('matches no process without a start time or of another boot', () => {
    const table = tableOf([{ pid: 10 }]);
    assert.equal(table.rowOf(identityOf(10))?.pid, 10);
    assert.equal(table.rowOf({ ...identityOf(10), startTime: '' }), null);
    assert.equal(table.rowOf({ ...identityOf(10), bootId: 'other' }), null);
  });

  it('gives all who ask in the same moment one reading', async () => {
    const [a, b] = await Promise.all([nextTable(), nextTable()]);
    assert.equal(a, b);
  });

  it('never gives a reading that began before the question', async () => {
    const first = await nextTable();
    assert.notEqual(await nextTable(), first);
  });
});

describe('the environment of a process', () => {
  after(endBareTrees);

  it('gives a value, and null for a name that only ends alike', async function () {
    if (process.platform !== 'linux') this.skip();
    const { tree, child } = await bareTree(['sh', '-c', 'echo up; exec sleep 60'], { WHOLE_NAME: 'a=b c', EMPTY: '' });
    const { pid } = tree.leader;
    await until('exec', () => readCommandLine(pid)[0] === 'sleep', { intervalMs: 2 });
    assert.equal(readEnvironmentVariable(pid, 'WHOLE_NAME'), 'a=b c');
    assert.equal(readEnvironmentVariable(pid, 'NAME'), null);
    assert.equal(readEnvironmentVariable(pid, 'EMPTY'), '');
    assert.equal(readEnvironmentVariable(pid, 'COPPICE_TREE'), tree.marker);
    assert.deepEqual(readCommandLine(pid), ['sleep', '60']);
    child.kill('SIGKILL');
  });

  it('sees an environment larger than one read gives', async function () {
    if (process.platform !== 'linux') this.skip();
    const large = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`A_LARGE_${index}`, 'x'.repeat(10_000)]),
    );
    const { tree, child } = await bareTree(['sh', '-c', 'echo up; sleep 60'], large);
    assert.equal(readEnvironmentVariable(tree.leader.pid, 'COPPICE_TREE'), tree.marker);
    child.kill('SIGKILL');
  });

  it('is not lost to a look in the middle of an exec', async function () {
    if (process.platform !== 'linux') this.skip();
    const large = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`A_LARGE_${index}`, 'x'.repeat(10_000)]),
    );
    for (let round = 0; round < 20; round++) {
      const { tree, child } = await bareTree(['sh', '-c', 'echo up; exec sleep 60'], large);
      const { pid } = tree.leader;
      const looks = Array.from({ length: 40 }, () => readEnvironmentVariable(pid, 'COPPICE_TREE'));
      // "Unreadable" says nothing; null would say that this process does not belong to the tree.
      assert.deepEqual(
        [...new Set(looks)].filter((value) => value !== tree.marker && value !== 'unreadable'),
        [],
      );
      child.kill('SIGKILL');
    }
  });

  for (const pid of [0, -1, Number.NaN, 1.5]) {
    it(`has none for pid ${pid} (R1)`, () => {
      assert.equal(readEnvironmentVariable(pid, 'PATH'), null);
      assert.deepEqual(readCommandLine(pid), []);
    });
  }

  it('finds only whole names in a block', () => {
    const block = Buffer.from('XA=1\0A=2\0B=\0C=x=y');
    assert.equal(findVariable(block, 'A'), '2');
    assert.equal(findVariable(block, 'B'), '');
    assert.equal(findVariable(block, 'C'), 'x=y');
    assert.equal(findVariable(block, 'x'), null);
    assert.equal(findVariable(Buffer.alloc(0), 'A'), null);
  });
});
