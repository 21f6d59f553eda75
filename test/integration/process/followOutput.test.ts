import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { followOutput } from '../../../server/process/output/index.ts';
import { endOutputs, follow, newOutput, writeOutput } from '../../support/output.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('following an output', () => {
  afterEach(endOutputs);
  after(removeTemporaryFolders);

  it('gives what is there from the offset on, and what comes later', async () => {
    const path = newOutput('old\nnew\n');
    const follower = follow(path, 4);
    await until('what is there', () => follower.text() === 'new\n');
    appendFileSync(path, 'later\n');
    await until('what comes later', () => follower.text() === 'new\nlater\n');
  });

  it('waits for a file that does not exist yet, nor its folder', async () => {
    const path = join(temporaryFolder('output'), 'logs', 'web.log');
    const follower = follow(path);
    mkdirSync(join(path, '..'));
    writeFileSync(path, 'first\n');
    await until('the first line', () => follower.text() === 'first\n');
  });

  it('is told of a line after a quiet time, and does not come upon it by looking', async () => {
    const held = holdBackLooks();
    try {
      const path = newOutput('');
      const follower = follow(path);
      await until('the follower to be at rest', () => held.looks() > 0);
      appendFileSync(path, 'line\n');
      await until('the line', () => follower.text() === 'line\n');
    } finally {
      held.release();
    }
  });

  it('gives the next chunk only when the promise for the one before is kept', async () => {
    const path = newOutput('x'.repeat(3_000_000));
    let open = 0;
    let most = 0;
    let seen = 0;
    const ended = AbortSignal.abort();
    await followOutput(path, {
      offset: 0,
      signal: new AbortController().signal,
      ended,
      onChunk: async (bytes) => {
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setImmediate(resolve));
        seen += bytes.length;
        open -= 1;
      },
    });
    assert.deepEqual({ most, seen }, { most: 1, seen: 3_000_000 });
  });

  it('gives nothing more after it was aborted', async () => {
    const path = newOutput('x'.repeat(3_000_000));
    const abort = new AbortController();
    let chunks = 0;
    await followOutput(path, {
      offset: 0,
      signal: abort.signal,
      onChunk: () => {
        chunks += 1;
        abort.abort();
      },
    });
    assert.equal(chunks, 1);
  });

  it('ends with the last byte when the writer is known to have ended (R47)', async () => {
    const path = newOutput();
    const child = writeOutput(path, 'print-bytes.mjs', '5000000');
    const follower = follow(path);
    await once(child, 'exit');
    assert.equal(await follower.finish(), 5_000_000);
  });

  it('goes on at the new beginning when somebody empties the file', async () => {
    const path = newOutput('before, and long\n');
    const follower = follow(path);
    await until('the old text', () => follower.text() !== '');
    truncateSync(path);
    appendFileSync(path, 'after\n');
    await until('the new text', () => follower.text() === 'before, and long\nafter\n');
  });

  it('reads a deleted file to its end, and then the one in its place', async () => {
    const path = newOutput('one\n');
    const descriptor = openSync(path, 'a');
    const follower = follow(path);
    await until('the first file', () => follower.text() === 'one\n');
    rmSync(path);
    appendFileSync(descriptor, 'two\n');
    await until('what was written after the deletion', () => follower.text() === 'one\ntwo\n');
    closeSync(descriptor);
    writeFileSync(path, 'three\n');
    await until('the new file', () => follower.text() === 'one\ntwo\nthree\n');
  });

  it('leaves no watcher and no timer behind', async () => {
    const busy = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap' || kind === 'Timeout').length;
    const path = newOutput('text\n');
    // The runner sets its own timer once the test has begun.
    await new Promise((resolve) => setImmediate(resolve));
    const before = busy();
    for (let round = 0; round < 20; round += 1) {
      const follower = follow(path);
      await until('the text', () => follower.text() !== '', { intervalMs: 1 });
      await follower.finish();
    }
    // A closed handle, and the timer that one runs in, are counted until the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(busy() <= before, `${busy()} after ${before}`);
  });

  it('gives 200 MB completely and in order while a child prints them as fast as it can (R46)', async function () {
    this.timeout(60_000);
    const size = 200_000_000;
    const path = newOutput();
    const got = createHash('sha1');
    let bytes = 0;
    const ended = new AbortController();
    const child = writeOutput(path, 'print-bytes.mjs', String(size));
    const following = followOutput(path, {
      offset: 0,
      signal: new AbortController().signal,
      ended: ended.signal,
      onChunk: (chunk) => {
        got.update(chunk);
        bytes += chunk.length;
      },
    });
    await once(child, 'exit');
    ended.abort();
    await following;
    assert.equal(bytes, size);
    const wanted = createHash('sha1');
    const file = openSync(path, 'r');
    closeSync(file);
    wanted.update(readFileSync(path));
    assert.equal(got.digest('hex'), wanted.digest('hex'));
  });
});

/** From now on no look that is 250 ms away or more ever comes: whatever is heard of, the system has told. */
function holdBackLooks(): { looks: () => number; release: () => void } {
  const real = globalThis.setTimeout;
  let looks = 0;
  const hold = (act: () => void, milliseconds = 0): NodeJS.Timeout => {
    if (milliseconds < 250) return real(act, milliseconds);
    looks += 1;
    return real(() => {}, 2 ** 31 - 1).unref();
  };
  globalThis.setTimeout = hold as typeof setTimeout;
  return {
    looks: () => looks,
    release: () => {
      globalThis.setTimeout = real;
    },
  };
}
