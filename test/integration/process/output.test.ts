import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  followOutput,
  outputEnd,
  outputExtent,
  readRange,
  readSinceOffset,
  readTail,
  rotateOutput,
  tailLines,
  waitForLine,
} from '../../../server/process/output/index.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const programs = join(import.meta.dirname, '../../support/programs');
const children: ChildProcess[] = [];
const followers: Follower[] = [];

/** A child that appends to `path` with a descriptor of its own, as a managed one does. */
function write(path: string, program: string, ...words: readonly string[]): ChildProcess {
  const descriptor = openSync(path, 'a', 0o600);
  const child = spawn(process.execPath, [join(programs, program), ...words], {
    stdio: ['ignore', descriptor, 'inherit'],
  });
  closeSync(descriptor);
  children.push(child);
  return child;
}

interface Follower {
  readonly text: () => string;
  readonly gaps: [number, number][];
  /** Lets it read what is there, and ends it. Resolves with its last position. */
  readonly finish: () => Promise<number>;
}

function follow(path: string, offset = 0): Follower {
  const blocks: Buffer[] = [];
  const ended = new AbortController();
  const gaps: [number, number][] = [];
  const done = followOutput(path, {
    offset,
    signal: new AbortController().signal,
    ended: ended.signal,
    onChunk: (bytes) => void blocks.push(bytes),
    onGap: (from, to) => void gaps.push([from, to]),
  });
  const finish = (): Promise<number> => {
    ended.abort();
    return done;
  };
  const follower = { text: () => Buffer.concat(blocks).toString(), gaps, finish };
  followers.push(follower);
  return follower;
}

/** A path for an output in a folder of its own, holding `text` if given. */
function output(text?: string): string {
  const path = join(temporaryFolder('output'), 'web.log');
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

async function rotated(path: string, keep = 2, method: 'best' | 'truncate' = 'truncate'): Promise<void> {
  const result = await rotateOutput(path, { maxBytes: 1, keep, method });
  assert.deepEqual([result.ok, result.ok && result.rotated], [true, true]);
}

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.finish();
  for (const child of children.splice(0)) {
    const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});
after(removeTemporaryFolders);

describe('following an output', () => {
  it('gives what is there from the offset on, and what comes later', async () => {
    const path = output('old\nnew\n');
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

  it('hears of a line within 100 ms after a quiet time', async () => {
    const path = output('');
    const follower = follow(path);
    // Past the short waits after a growth, into the time when the system is asked to tell.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const began = performance.now();
    appendFileSync(path, 'line\n');
    await until('the line', () => follower.text() !== '', { intervalMs: 2 });
    assert.ok(performance.now() - began < 100, `${performance.now() - began} ms`);
  });

  it('gives the next chunk only when the promise for the one before is kept', async () => {
    const path = output('x'.repeat(3_000_000));
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
    const path = output('x'.repeat(3_000_000));
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
    const path = output();
    const child = write(path, 'print-bytes.mjs', '5000000');
    const follower = follow(path);
    await once(child, 'exit');
    assert.equal(await follower.finish(), 5_000_000);
  });

  it('goes on at the new beginning when somebody empties the file', async () => {
    const path = output('before, and long\n');
    const follower = follow(path);
    await until('the old text', () => follower.text() !== '');
    truncateSync(path);
    appendFileSync(path, 'after\n');
    await until('the new text', () => follower.text() === 'before, and long\nafter\n');
  });

  it('reads a deleted file to its end, and then the one in its place', async () => {
    const path = output('one\n');
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
    const path = output('text\n');
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
    const path = output();
    const got = createHash('sha1');
    let bytes = 0;
    const ended = new AbortController();
    const child = write(path, 'print-bytes.mjs', String(size));
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

describe('rotation of an output', () => {
  it('leaves a file alone that is small or missing', async () => {
    const path = output('small\n');
    assert.deepEqual(await rotateOutput(path, { maxBytes: 100, keep: 2 }), { ok: true, rotated: false });
    assert.deepEqual(await rotateOutput(`${path}.other`, { maxBytes: 1 }), { ok: true, rotated: false });
    assert.deepEqual(readdirSync(join(path, '..')), ['web.log']);
  });

  it('moves the text to .1 and on to .2, and drops the oldest', async () => {
    const path = output();
    for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) {
      appendFileSync(path, text);
      await rotated(path);
    }
    assert.equal(readFileSync(path, 'utf8'), '');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'four\n');
    assert.equal(readFileSync(`${path}.2`, 'utf8'), 'three\n');
    assert.deepEqual(readdirSync(join(path, '..')).sort(), ['web.log', 'web.log.1', 'web.log.2', 'web.log.rotation']);
  });

  it('keeps positions valid', async () => {
    const path = output('one\n');
    await rotated(path);
    appendFileSync(path, 'two\n');
    await rotated(path);
    appendFileSync(path, 'three\n');
    assert.deepEqual(await outputExtent(path), { from: 0, to: 14 });
    const { bytes } = await readRange(path, 2, 10);
    assert.equal(bytes.toString(), 'e\ntwo\nth');
    assert.equal(await outputEnd(path), 14);
  });

  it('says where the oldest byte is that is kept', async () => {
    const path = output();
    for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) {
      appendFileSync(path, text);
      await rotated(path);
    }
    const range = await readRange(path, 0);
    assert.deepEqual([range.bytes.toString(), range.from, range.to], ['three\nfour\n', 8, 19]);
  });

  it('is passed by a follower that was behind, without loss', async () => {
    const path = output('one\ntwo\n');
    await rotated(path);
    appendFileSync(path, 'three\n');
    const follower = follow(path, 4);
    await until('all of it', () => follower.text() === 'two\nthree\n');
  });

  it('tells a follower what was dropped before it came', async () => {
    const path = output('one\n');
    await rotated(path, 1);
    appendFileSync(path, 'two\n');
    await rotated(path, 1);
    const follower = follow(path);
    await until('what is kept', () => follower.text() === 'two\n');
    assert.deepEqual(follower.gaps, [[0, 4]]);
  });

  it('leaves no hole of NULs when the child goes on writing', async () => {
    const path = output('a line of the past\n'.repeat(1000));
    write(path, 'print-lines.mjs', '1', '10');
    await until('some lines', () => statSync(path).size > 25_000);
    await rotated(path);
    await until('more lines', () => statSync(path).size > 1000);
    assert.equal(readFileSync(path).includes(0), false);
  });

  it('joins one that is under way', async () => {
    const path = output('text\n');
    const results = await Promise.all([1, 2, 3].map(() => rotateOutput(path, { maxBytes: 1 })));
    assert.ok(results.every((result) => result === results[0]));
  });

  it('leaves the file as it is when its copy cannot be written', async () => {
    const path = output('text\n');
    mkdirSync(`${path}.rotating`);
    const result = await rotateOutput(path, { maxBytes: 1 });
    assert.equal(result.ok, false);
    assert.equal(readFileSync(path, 'utf8'), 'text\n');
  });

  const onPosix = process.platform === 'win32' ? it.skip : it;
  onPosix('leaves the file as it is, and no half copy, when the disk takes no more', async () => {
    const path = output('x'.repeat(3_000_000));
    const module = join(import.meta.dirname, '../../../server/process/output/index.ts');
    const script = `import(${JSON.stringify(module)}).then(async (m) => console.log(JSON.stringify(await m.rotateOutput(${JSON.stringify(path)}, {maxBytes: 1}))))`;
    // A limit on the size of files (in blocks of 512 bytes) stands in for a full disk: both fail in the middle.
    const child = spawn('/bin/sh', ['-c', 'ulimit -f 2000; exec "$0" -e "$1"', process.execPath, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [text] = await once(child.stdout, 'data');
    assert.equal(JSON.parse(String(text)).failure.code, 'EFBIG');
    assert.equal(statSync(path).size, 3_000_000);
    assert.deepEqual(readdirSync(join(path, '..')), ['web.log']);
  });

  for (const cut of [false, true]) {
    it(`is ${cut ? 'finished' : 'taken back'} when its supervisor was killed ${cut ? 'after' : 'before'} the file was cut`, async () => {
      const path = output('one\n');
      await rotated(path);
      appendFileSync(path, cut ? 'after\n' : 'two\nafter\n');
      writeFileSync(`${path}.rotating`, 'two\n');
      const state = JSON.parse(readFileSync(`${path}.rotation`, 'utf8'));
      writeFileSync(`${path}.rotation`, JSON.stringify({ ...state, pending: Date.now() - 60_000 }));
      const seen = (await readRange(path, 0)).bytes.toString();
      await rotateOutput(path, { maxBytes: 1_000_000 });
      assert.deepEqual([seen, (await readRange(path, 0)).bytes.toString()], ['one\ntwo\nafter\n', 'one\ntwo\nafter\n']);
      assert.equal(existsSync(`${path}.rotating`), false);
    });
  }

  it('is finished when its supervisor was killed between two renames', async () => {
    const path = output('one\n');
    await rotated(path);
    renameSync(`${path}.1`, `${path}.2`);
    writeFileSync(`${path}.rotating`, 'two\n');
    appendFileSync(path, 'three\n');
    const state = JSON.parse(readFileSync(`${path}.rotation`, 'utf8'));
    writeFileSync(`${path}.rotation`, JSON.stringify({ ...state, pending: Date.now() - 60_000 }));
    const seen = (await readRange(path, 0)).bytes.toString();
    await rotateOutput(path, { maxBytes: 1_000_000 });
    assert.deepEqual([seen, (await readRange(path, 0)).bytes.toString()], ['one\ntwo\nthree\n', 'one\ntwo\nthree\n']);
  });

  it('starts anew, and keeps what it found, when its state is no state', async () => {
    const path = output('one\n');
    writeFileSync(`${path}.rotation`, '{"version":1,"ba');
    await rotated(path);
    assert.equal((await readRange(path, 0)).bytes.toString(), 'one\n');
    assert.ok(readdirSync(join(path, '..')).some((name) => name.includes('.rotation.corrupt-')));
  });

  interface Stress {
    /** Of the whole lines that the follower got, in its order. */
    readonly numbers: readonly number[];
    readonly written: number;
    readonly rotations: number;
    readonly lossless: number;
    readonly gaps: number;
  }

  /** Another process rotates every few milliseconds while a third writes and this one follows. */
  async function rotateBelowWriter(method: 'best' | 'truncate'): Promise<Stress> {
    const path = output();
    const writer = write(path, 'print-lines.mjs', '0', '500');
    const follower = follow(path);
    const rotator = spawn(process.execPath, [join(programs, 'rotate-output.mjs'), path, method], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(rotator);
    await until('many rotations', () => existsSync(`${path}.50`));
    rotator.kill('SIGTERM');
    const [result] = await once(rotator.stdout, 'data');
    writer.kill('SIGTERM');
    await once(writer, 'exit');
    await follower.finish();
    const lines = follower.text().split('\n');
    // A truncation may cut a line in two; its remains are not counted as arrived.
    const whole = lines.filter((line) => /^\d+:x*$/.test(line) && fillingOf(line) === Number.parseInt(line, 10) % 97);
    const numbers = whole.map((line) => Number.parseInt(line, 10));
    const written = Number(/^total (\d+)$/.exec(lines.at(-2) ?? '')?.[1]);
    return { numbers, written, ...JSON.parse(String(result)), gaps: follower.gaps.length };
  }
  const fillingOf = (line: string) => line.length - line.indexOf(':') - 1;

  it('loses and doubles nothing while a child writes on, where the file system can collapse', async function () {
    this.timeout(20_000);
    const { numbers, written, rotations, lossless, gaps } = await rotateBelowWriter('best');
    if (lossless === 0) this.skip();
    assert.deepEqual({ gaps, lossless }, { gaps: 0, lossless: rotations });
    assert.deepEqual(
      numbers,
      Array.from({ length: written }, (_, number) => number),
    );
  });

  it('gives a follower everything once and in order where it must truncate, but what was written at that moment', async function () {
    this.timeout(20_000);
    const { numbers, written, gaps } = await rotateBelowWriter('truncate');
    assert.equal(gaps, 0);
    assert.ok(
      numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
      'doubled or out of order',
    );
    const lost = written - numbers.length;
    assert.ok(lost / written < 0.05, `${lost} of ${written} lines lost`);
  });
});

describe('the tail of an output', () => {
  it('is its last lines', async () => {
    assert.deepEqual(await tailLines(output('one\ntwo\nthree\n'), 2), ['two', 'three']);
  });
  it('has the line that has no ending yet (R48)', async () => {
    assert.deepEqual(await tailLines(output('one\ntwo\npanic: '), 2), ['two', 'panic: ']);
  });
  it('is all there is when that is less', async () => {
    assert.deepEqual(await tailLines(output('one\n'), 10), ['one']);
  });
  it('is empty without output', async () => {
    assert.deepEqual(await tailLines(output(''), 10), []);
    assert.deepEqual(await tailLines(output(), 10), []);
  });
  it('has nothing of an earlier incarnation', async () => {
    assert.deepEqual(await tailLines(output('old\nnew\n'), 10, { fromOffset: 4 }), ['new']);
  });
  it('reaches back into rotated files', async () => {
    const path = output('one\ntwo\n');
    await rotated(path);
    appendFileSync(path, 'three\n');
    assert.deepEqual(await tailLines(path, 2), ['two', 'three']);
  });
  it('is found in a large file without reading it all, over block borders and multi-byte characters', async () => {
    const lines = Array.from({ length: 40_000 }, (_, number) => `${number} 🌲 ${'ü'.repeat(number % 50)}`);
    assert.deepEqual(await tailLines(output(`${lines.join('\n')}\n`), 5000), lines.slice(-5000));
  });
  it('looks back no further than its limit', async () => {
    const path = output(`${'x'.repeat(1_000_000)}\nlast\n`);
    const { lines, from } = await readTail(path, 10, { maxBytes: 1000 });
    assert.deepEqual([lines.length, lines[0]?.length, lines[1], from], [2, 994, 'last', 999_006]);
  });
  it('ends where following goes on', async () => {
    const path = output('one\ntwo\n');
    const { to } = await readTail(path, 1);
    appendFileSync(path, 'three\n');
    assert.equal((await readRange(path, to)).bytes.toString(), 'three\n');
  });
});

describe('waiting for a line', () => {
  const wait = (path: string, offset: number, pattern: RegExp, signal = new AbortController().signal) =>
    waitForLine(path, { offset, signal, matches: (text) => pattern.test(text) });

  it('finds one that a program prints later, in colours', async () => {
    const path = output('starting\n');
    const found = wait(path, 0, /Local: +http:\/\/localhost:5173/);
    appendFileSync(path, '  \x1b[32m➜\x1b[39m  Local:   http://localhost:\x1b[1m5173\x1b[22m/\n');
    assert.equal(await found, '  ➜  Local:   http://localhost:5173/');
  });
  it('takes no line of an earlier incarnation for one of this', async () => {
    const path = output('ready one\n');
    const found = wait(path, await outputEnd(path), /ready/);
    appendFileSync(path, 'ready two\n');
    assert.equal(await found, 'ready two');
  });
  it('takes no line of an earlier incarnation for one of this after a rotation', async () => {
    const path = output('ready one\n');
    await rotated(path);
    appendFileSync(path, 'ready two\n');
    const found = wait(path, await outputEnd(path), /ready/);
    appendFileSync(path, 'ready three\n');
    assert.equal(await found, 'ready three');
  });
  it('finds text that a program leaves without an ending', async () => {
    assert.equal(await wait(output('one\nListening on 3000'), 0, /Listening/), 'Listening on 3000');
  });
  it('finds text in a progress bar', async () => {
    assert.equal(await wait(output('10%\rcompiled\r20%\r'), 0, /compiled/), 'compiled');
  });
  it('ends without a line when it is aborted', async () => {
    const abort = new AbortController();
    const found = wait(output('one\n'), 0, /never/, abort.signal);
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
    assert.equal(await readSinceOffset(output('one\ntwo\nthree\n'), at(15), marks), 4);
  });
  it('is nothing when the file was last written before', async () => {
    const path = output('one\n');
    utimesSync(path, at(0) / 1000, at(0) / 1000);
    assert.equal(await readSinceOffset(path, at(10)), 4);
  });
  it('leaves rotated files out that were closed before', async () => {
    const path = output('one\n');
    await rotated(path);
    appendFileSync(path, 'two\n');
    utimesSync(`${path}.1`, at(0) / 1000, at(0) / 1000);
    assert.equal(await readSinceOffset(path, at(10)), 4);
  });
});
