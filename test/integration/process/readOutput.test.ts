import assert from 'node:assert/strict';
import { appendFileSync, truncateSync, utimesSync } from 'node:fs';
import {
  outputEnd,
  readRange,
  readSinceOffset,
  readTail,
  tailLines,
  waitForLine,
} from '../../../server/process/output/index.ts';
import { endOutputs, newOutput, rotated } from '../../support/output.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';

describe('looking into an output', () => {
  afterEach(endOutputs);
  after(removeTemporaryFolders);

  it('goes on at the new beginning when somebody emptied the file', async () => {
    const path = newOutput('a long line\n');
    const end = await outputEnd(path);
    truncateSync(path);
    appendFileSync(path, 'new\n');
    const { bytes, from } = await readRange(path, end);
    assert.deepEqual([bytes.toString(), from], ['new\n', 0]);
  });

  describe('the tail of an output', () => {
    it('is its last lines', async () => {
      assert.deepEqual(await tailLines(newOutput('one\ntwo\nthree\n'), 2), ['two', 'three']);
    });
    it('has the line that has no ending yet (R48)', async () => {
      assert.deepEqual(await tailLines(newOutput('one\ntwo\npanic: '), 2), ['two', 'panic: ']);
    });
    it('is all there is when that is less', async () => {
      assert.deepEqual(await tailLines(newOutput('one\n'), 10), ['one']);
    });
    it('is empty without output', async () => {
      assert.deepEqual(await tailLines(newOutput(''), 10), []);
      assert.deepEqual(await tailLines(newOutput(), 10), []);
    });
    it('has nothing of an earlier incarnation', async () => {
      assert.deepEqual(await tailLines(newOutput('old\nnew\n'), 10, { fromOffset: 4 }), ['new']);
    });
    it('reaches back into rotated files', async () => {
      const path = newOutput('one\ntwo\n');
      await rotated(path);
      appendFileSync(path, 'three\n');
      assert.deepEqual(await tailLines(path, 2), ['two', 'three']);
    });
    it('is found in a large file without reading it all, over block borders and multi-byte characters', async () => {
      const lines = Array.from({ length: 40_000 }, (_, number) => `${number} 🌲 ${'ü'.repeat(number % 50)}`);
      assert.deepEqual(await tailLines(newOutput(`${lines.join('\n')}\n`), 5000), lines.slice(-5000));
    });
    it('looks back no further than its limit', async () => {
      const path = newOutput(`${'x'.repeat(1_000_000)}\nlast\n`);
      const { lines, from } = await readTail(path, 10, { maxBytes: 1000 });
      assert.deepEqual([lines.length, lines[0]?.length, lines[1], from], [2, 994, 'last', 999_006]);
    });
    it('ends where following goes on', async () => {
      const path = newOutput('one\ntwo\n');
      const { to } = await readTail(path, 1);
      appendFileSync(path, 'three\n');
      assert.equal((await readRange(path, to)).bytes.toString(), 'three\n');
    });
  });

  describe('waiting for a line', () => {
    const wait = (path: string, offset: number, pattern: RegExp, signal = new AbortController().signal) =>
      waitForLine(path, { offset, signal, matches: (text) => pattern.test(text) });

    it('finds one that a program prints later, in colours', async () => {
      const path = newOutput('starting\n');
      const found = wait(path, 0, /Local: +http:\/\/localhost:5173/);
      appendFileSync(path, '  \x1b[32m➜\x1b[39m  Local:   http://localhost:\x1b[1m5173\x1b[22m/\n');
      assert.equal(await found, '  ➜  Local:   http://localhost:5173/');
    });
    it('takes no line of an earlier incarnation for one of this', async () => {
      const path = newOutput('ready one\n');
      const found = wait(path, await outputEnd(path), /ready/);
      appendFileSync(path, 'ready two\n');
      assert.equal(await found, 'ready two');
    });
    it('takes no line of an earlier incarnation for one of this after a rotation', async () => {
      const path = newOutput('ready one\n');
      await rotated(path);
      appendFileSync(path, 'ready two\n');
      const found = wait(path, await outputEnd(path), /ready/);
      appendFileSync(path, 'ready three\n');
      assert.equal(await found, 'ready three');
    });
    it('finds text that a program leaves without an ending', async () => {
      assert.equal(await wait(newOutput('one\nListening on 3000'), 0, /Listening/), 'Listening on 3000');
    });
    it('finds text in a progress bar', async () => {
      assert.equal(await wait(newOutput('10%\rcompiled\r20%\r'), 0, /compiled/), 'compiled');
    });
    it('ends without a line when it is aborted', async () => {
      const abort = new AbortController();
      const found = wait(newOutput('one\n'), 0, /never/, abort.signal);
      abort.abort();
      assert.equal(await found, null);
    });
  });

  describe('what was printed since a time', () => {
    const at = (seconds: number) => 1_700_000_000_000 + seconds * 1000;

    it('begins with the last incarnation that started before', async () => {
      const marks = [
        { at: at(0), position: 0 },
        { at: at(10), position: 4 },
        { at: at(20), position: 8 },
      ];
      assert.equal(await readSinceOffset(newOutput('one\ntwo\nthree\n'), at(15), marks), 4);
    });
    it('is nothing when the file was last written before', async () => {
      const path = newOutput('one\n');
      utimesSync(path, at(0) / 1000, at(0) / 1000);
      assert.equal(await readSinceOffset(path, at(10)), 4);
    });
    it('leaves rotated files out that were closed before', async () => {
      const path = newOutput('one\n');
      await rotated(path);
      appendFileSync(path, 'two\n');
      utimesSync(`${path}.1`, at(0) / 1000, at(0) / 1000);
      assert.equal(await readSinceOffset(path, at(10)), 4);
    });
  });
});
