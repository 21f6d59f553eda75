import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { bootId, identify } from '../../../server/process/identity.ts';
import { launch } from '../../../server/process/launch.ts';
import { outputEnd, outputExtent, readRange, rotateOutput } from '../../../server/process/output/index.ts';
import { endOutputs, endWithTest, follow, newOutput, programPath, rotated, writeOutput } from '../../support/output.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('rotation of an output', () => {
  afterEach(endOutputs);
  after(removeTemporaryFolders);

  it('leaves a file alone that is small or missing', async () => {
    const path = newOutput('small\n');
    assert.deepEqual(await rotateOutput(path, { maxBytes: 100, keep: 2 }), { ok: true, rotated: false });
    assert.deepEqual(await rotateOutput(`${path}.other`, { maxBytes: 1 }), { ok: true, rotated: false });
    assert.deepEqual(readdirSync(join(path, '..')), ['web.log']);
  });

  it('moves the text to .1 and on to .2, and drops the oldest', async () => {
    const path = newOutput();
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
    const path = newOutput('one\n');
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
    const path = newOutput();
    for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) {
      appendFileSync(path, text);
      await rotated(path);
    }
    const range = await readRange(path, 0);
    assert.deepEqual([range.bytes.toString(), range.from, range.to], ['three\nfour\n', 8, 19]);
  });

  it('is passed by a follower that was behind, without loss', async () => {
    const path = newOutput('one\ntwo\n');
    await rotated(path);
    appendFileSync(path, 'three\n');
    const follower = follow(path, 4);
    await until('all of it', () => follower.text() === 'two\nthree\n');
  });

  it('tells a follower what was dropped before it came', async () => {
    const path = newOutput('one\n');
    await rotated(path, 1);
    appendFileSync(path, 'two\n');
    await rotated(path, 1);
    const follower = follow(path);
    await until('what is kept', () => follower.text() === 'two\n');
    assert.deepEqual(follower.gaps, [[0, 4]]);
  });

  it('leaves no hole of NULs when the child goes on writing', async () => {
    const path = newOutput('a line of the past\n'.repeat(1000));
    writeOutput(path, 'print-lines.mjs', '1', '10');
    await until('some lines', () => statSync(path).size > 25_000);
    await rotated(path);
    await until('more lines', () => statSync(path).size > 1000);
    assert.equal(readFileSync(path).includes(0), false);
  });

  it('keeps positions valid when what is left begins like what was moved', async () => {
    // 4096 lines of 4096 bytes: a cut of whole blocks leaves the very same text.
    const line = `${'x'.repeat(4095)}\n`;
    const path = newOutput(line.repeat(4096));
    const result = await rotateOutput(path, { maxBytes: 1 });
    assert.ok(result.ok && result.rotated);
    appendFileSync(path, line.repeat(8192));
    await rotateOutput(path, { maxBytes: 1 });
    assert.deepEqual(await outputExtent(path), { from: 0, to: 3 * 4096 * 4096 });
  });

  it('joins one that is under way', async () => {
    const path = newOutput('text\n');
    const results = await Promise.all([1, 2, 3].map(() => rotateOutput(path, { maxBytes: 1 })));
    assert.ok(results.every((result) => result === results[0]));
  });

  it('leaves the file as it is when its copy cannot be written', async () => {
    const path = newOutput('text\n');
    mkdirSync(`${path}.rotating`);
    const result = await rotateOutput(path, { maxBytes: 1 });
    assert.equal(result.ok, false);
    assert.equal(readFileSync(path, 'utf8'), 'text\n');
  });

  const onPosix = process.platform === 'win32' ? it.skip : it;
  onPosix('leaves the file as it is, and no half copy, when the disk takes no more', async () => {
    const path = newOutput('x'.repeat(3_000_000));
    const module = join(import.meta.dirname, '../../../server/process/output/index.ts');
    const script = `import(${JSON.stringify(module)}).then(async (m) => console.log(JSON.stringify(await m.rotateOutput(${JSON.stringify(path)}, {maxBytes: 1}))))`;
    // A limit on the size of files (in blocks of 512 bytes) stands in for a full disk: both fail in the middle.
    const child = spawn('/bin/sh', ['-c', 'ulimit -f 2000; exec "$0" -e "$1"', process.execPath, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endWithTest(child);
    const [text] = await once(child.stdout, 'data');
    assert.equal(JSON.parse(String(text)).failure.code, 'EFBIG');
    assert.equal(statSync(path).size, 3_000_000);
    assert.deepEqual(readdirSync(join(path, '..')), ['web.log']);
  });

  // Above every pid that Linux gives out.
  const killed = { at: Date.now(), by: { pid: 2 ** 22 + 1, startTime: '1', bootId: bootId() } };

  for (const cut of [false, true]) {
    it(`is ${cut ? 'finished' : 'taken back'} when its supervisor was killed ${cut ? 'after' : 'before'} the file was cut`, async () => {
      const path = newOutput('one\n');
      await rotated(path);
      appendFileSync(path, cut ? 'after\n' : 'two\nafter\n');
      writeFileSync(`${path}.rotating`, 'two\n');
      const state = JSON.parse(readFileSync(`${path}.rotation`, 'utf8'));
      writeFileSync(`${path}.rotation`, JSON.stringify({ ...state, pending: killed }));
      const seen = (await readRange(path, 0)).bytes.toString();
      await rotateOutput(path, { maxBytes: 1_000_000 });
      assert.deepEqual([seen, (await readRange(path, 0)).bytes.toString()], ['one\ntwo\nafter\n', 'one\ntwo\nafter\n']);
      assert.equal(existsSync(`${path}.rotating`), false);
    });
  }

  it('is finished when its supervisor was killed between two renames', async () => {
    const path = newOutput('one\n');
    await rotated(path);
    renameSync(`${path}.1`, `${path}.2`);
    writeFileSync(`${path}.rotating`, 'two\n');
    appendFileSync(path, 'three\n');
    const state = JSON.parse(readFileSync(`${path}.rotation`, 'utf8'));
    writeFileSync(`${path}.rotation`, JSON.stringify({ ...state, pending: killed }));
    const seen = (await readRange(path, 0)).bytes.toString();
    await rotateOutput(path, { maxBytes: 1_000_000 });
    assert.deepEqual([seen, (await readRange(path, 0)).bytes.toString()], ['one\ntwo\nthree\n', 'one\ntwo\nthree\n']);
  });

  it('does not move where the output of the next incarnation begins', async () => {
    const path = newOutput('ready, says the one before\n');
    await rotated(path);
    appendFileSync(path, 'ready, it says again\n');
    const result = await launch({
      argv: [process.execPath, '-e', 'console.log("ready now")'],
      cwd: join(path, '..'),
      env: {},
      stdin: 'ignore',
      outputPath: path,
      exitRecordPath: `${path}.exit`,
      marker: 'w/web/2/00',
    });
    assert.ok(result.ok);
    await result.tree.exited;
    assert.equal((await readRange(path, result.tree.outputOffset)).bytes.toString(), 'ready now\n');
  });

  it('is waited for while its process lives', async () => {
    const path = newOutput('one\n');
    await rotated(path);
    const settled = readFileSync(`${path}.rotation`, 'utf8');
    writeFileSync(`${path}.rotating`, 'two\n');
    const pending = { at: Date.now(), by: identify(process.pid) };
    writeFileSync(`${path}.rotation`, JSON.stringify({ ...JSON.parse(settled), pending }));
    let seen = false;
    const end = outputEnd(path).finally(() => {
      seen = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(seen, false);
    writeFileSync(`${path}.rotation`, settled);
    assert.equal(await end, 4);
  });

  it('starts anew, and keeps what it found, when its state is no state', async () => {
    const path = newOutput('one\n');
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
    const path = newOutput();
    const writer = writeOutput(path, 'print-lines.mjs', '0', '500');
    const follower = follow(path);
    const rotator = spawn(process.execPath, [programPath('rotate-output.mjs'), path, method], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endWithTest(rotator);
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
