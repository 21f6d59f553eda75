import assert from 'node:assert/strict';
import { parseStat } from '../../../server/process/platform/linux/stat.ts';

/** A recorded line of `/proc/<pid>/stat` with the fields that matter left open. */
function stat({ name = 'node', state = 'S', flags = 4194304, threads = 7 } = {}): string {
  return (
    `4711 (${name}) ${state} 4700 4705 4702 34816 4711 ${flags} 1031 0 0 0 20 7 0 0 20 0 ${threads} 0 8812345 ` +
    '1073741824 9000 18446744073709551615 1 1 0 0 0 0 0 4096 17642 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n'
  );
}

describe('parsing /proc/<pid>/stat', () => {
  it('reads pid, parent, group, session, state, start time and name', () => {
    assert.deepEqual(parseStat(stat())?.row, {
      pid: 4711,
      parent: 4700,
      group: 4705,
      session: 4702,
      state: 'S',
      startTime: '8812345',
      name: 'node',
    });
  });

  for (const name of ['a) R 1 (x', '', ')', '((', 'two\nlines', ') Z 1 1 1 0 0 0 (']) {
    it(`counts fields from the last bracket for the name ${JSON.stringify(name)}`, () => {
      const reading = parseStat(stat({ name }));
      assert.equal(reading?.row.startTime, '8812345');
      assert.equal(reading?.row.state, 'S');
      assert.equal(reading?.row.name, name);
    });
  }

  for (const state of ['Z', 'X', 'x']) {
    it(`takes state ${state} for dead (R4)`, () => {
      assert.equal(parseStat(stat({ state, threads: 1 }))?.dead, true);
    });
  }

  it('takes a process alive whose first thread alone has ended', () => {
    const reading = parseStat(stat({ state: 'Z', threads: 3 }));
    assert.equal(reading?.dead, false);
    assert.equal(reading?.row.state, 'S');
  });

  for (const state of ['R', 'S', 'D', 'T', 't', 'I']) {
    it(`takes state ${state} for alive`, () => assert.equal(parseStat(stat({ state }))?.dead, false));
  }

  it('knows a kernel thread by its flag, not by its parent', () => {
    assert.equal(parseStat(stat({ flags: 2129984 }))?.kernelThread, true);
    assert.equal(parseStat(stat({ flags: 4194304 }))?.kernelThread, false);
  });

  for (const torn of ['', '4711', '4711 (node', '4711 (node) S 1 2', '(node) S 1', 'x (node) S 4700 4705']) {
    it(`gives nothing for the torn line ${JSON.stringify(torn)}`, () => assert.equal(parseStat(torn), null));
  }
});
