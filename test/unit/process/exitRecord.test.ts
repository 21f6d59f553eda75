import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  parseExitRecord,
  readExitRecord,
  watchExitRecord,
  writeExitRecord,
} from '../../../server/process/exitRecord.ts';
import { bootId, identify } from '../../../server/process/identity.ts';
import type { ProcessIdentity, TreeIdentity } from '../../../server/process/types.ts';
import type { ExitRecord } from '../../../server/store/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const RECORD: ExitRecord = { pid: 12, code: 3, signal: null, at: 1, witness: 'keeper' };

describe('an exit record', () => {
  after(removeTemporaryFolders);

  it('is read as it was written', () => {
    const path = join(temporaryFolder('record'), 'exit.json');
    assert.equal(writeExitRecord(path, RECORD), true);
    assert.deepEqual(readExitRecord(path), RECORD);
  });

  it('is null when there is none, and corrupt when it is something else', () => {
    const path = join(temporaryFolder('record'), 'exit.json');
    assert.equal(readExitRecord(path), null);
    writeFileSync(path, '{"pid":12,"co');
    assert.equal(readExitRecord(path), 'corrupt');
  });

  it('is not written into a folder that was deleted, nor through a link', () => {
    const folder = temporaryFolder('record');
    assert.equal(writeExitRecord(join(folder, 'gone', 'exit.json'), RECORD), false);
    symlinkSync('/nowhere', join(folder, 'exit.json.tmp'));
    assert.equal(writeExitRecord(join(folder, 'exit.json'), RECORD), false);
    assert.deepEqual(readdirSync(folder), ['exit.json.tmp']);
  });

  for (const change of [
    { pid: 0 },
    { pid: '12' },
    { code: -1 },
    { code: '3' },
    { signal: 'TERM' },
    { code: 3, signal: 'SIGTERM' },
    { at: null },
    { witness: 'stranger' },
  ]) {
    it(`is refused with ${JSON.stringify(change)}`, () => {
      assert.equal(parseExitRecord(JSON.stringify({ ...RECORD, ...change })), null);
    });
  }
});

describe('watchExitRecord', () => {
  let timer: NodeJS.Timeout;
  before(() => {
    timer = setInterval(() => {}, 1000);
  });
  after(() => {
    clearInterval(timer);
    removeTemporaryFolders();
  });

  const path = () => join(temporaryFolder('watch'), 'exit.json');
  const own = (): ProcessIdentity => identify(process.pid)!;
  const dead = (): ProcessIdentity => ({ pid: process.pid, startTime: '1', bootId: bootId() });
  const tree = (leader: ProcessIdentity, keeper: ProcessIdentity | null): TreeIdentity => ({
    leader,
    keeper,
    group: leader.pid,
    session: leader.pid,
    marker: 'm',
  });
  const recordOf = (leader: ProcessIdentity): ExitRecord => ({ ...RECORD, pid: leader.pid });

  it('gives a record that is there already', async () => {
    const file = path();
    writeExitRecord(file, recordOf(own()));
    assert.deepEqual(await watchExitRecord(file, tree(own(), own())), { code: 3, signal: null });
  });

  it('notices a record without waiting for its interval', async () => {
    const file = path();
    const watched = watchExitRecord(file, tree(own(), own()), { intervalMs: 60_000 });
    writeExitRecord(file, recordOf(own()));
    assert.deepEqual(await watched, { code: 3, signal: null });
  });

  it('finds a record in a folder that came later', async () => {
    const folder = join(temporaryFolder('watch'), 'later');
    const file = join(folder, 'exit.json');
    const watched = watchExitRecord(file, tree(own(), own()), { intervalMs: 5 });
    mkdirSync(folder);
    writeExitRecord(file, recordOf(own()));
    assert.deepEqual(await watched, { code: 3, signal: null });
  });

  it('does not take the record of another start for its own', async () => {
    const file = path();
    writeExitRecord(file, { ...RECORD, pid: process.pid + 1 });
    const watched = watchExitRecord(file, tree(own(), own()), { intervalMs: 60_000 });
    writeExitRecord(file, { ...recordOf(own()), code: 8 });
    assert.deepEqual(await watched, { code: 8, signal: null });
  });

  it('is unwitnessed when leader and keeper are gone without a record', async () => {
    const watched = watchExitRecord(path(), tree(dead(), dead()), { intervalMs: 60_000 });
    assert.deepEqual(await watched, { code: null, signal: null });
  });

  it('gives a live keeper time to write, though not without end', async () => {
    const file = path();
    const watched = watchExitRecord(file, tree(dead(), own()), { intervalMs: 5, graceMs: 60_000 });
    writeExitRecord(file, recordOf(own()));
    assert.deepEqual(await watched, { code: 3, signal: null });
    const unwritten = watchExitRecord(path(), tree(dead(), own()), { intervalMs: 5, graceMs: 20 });
    assert.deepEqual(await unwritten, { code: null, signal: null });
  });

  it('takes a corrupt record for an end that nobody saw', async () => {
    const file = path();
    writeFileSync(file, 'nonsense');
    assert.deepEqual(await watchExitRecord(file, tree(own(), own())), { code: null, signal: null });
  });
});
