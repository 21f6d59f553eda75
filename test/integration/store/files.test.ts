import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  classifyIoError,
  removeDeadTemporaries,
  writeFileAtomic,
  writeFileAtomicSync,
} from '../../../server/store/atomic.ts';
import { readHeartbeat, writeHeartbeat } from '../../../server/store/heartbeat.ts';
import type { Heartbeat } from '../../../server/store/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const BEAT: Heartbeat = {
  pid: 1,
  startTime: '5',
  at: 1,
  uptimeMs: 1,
  eventLoopDelayMs: 0,
  memory: { heapUsedMb: 1, rssMb: 1 },
  services: {},
  runs: [],
};

describe('files that are replaced whole', () => {
  let folder: string;

  beforeEach(() => {
    folder = temporaryFolder('files');
  });

  after(removeTemporaryFolders);

  const ways = {
    'at once': async (path: string, data: string) => writeFileAtomicSync(path, data),
    'in the background': (path: string, data: string) => writeFileAtomic(path, data),
  };
  for (const [title, write] of Object.entries(ways)) {
    describe(`written ${title}`, () => {
      it('hold the new content, are private and leave nothing beside them', async () => {
        const path = join(folder, 'file.json');
        await write(path, 'old');
        assert.deepEqual(await write(path, 'new'), { ok: true });
        assert.equal(readFileSync(path, 'utf8'), 'new');
        assert.equal(statSync(path).mode & 0o777, 0o600);
        assert.deepEqual(readdirSync(folder), ['file.json']);
      });

      it('replace a link and leave what it points to alone', async () => {
        writeFileSync(join(folder, 'target'), 'precious');
        symlinkSync(join(folder, 'target'), join(folder, 'file.json'));
        await write(join(folder, 'file.json'), 'new');
        assert.equal(readFileSync(join(folder, 'target'), 'utf8'), 'precious');
      });

      it('never bring a deleted folder back (R89)', async () => {
        const result = await write(join(folder, 'gone/file.json'), 'x');
        assert.equal(result.ok ? null : result.failure.reason, 'missing_folder');
        assert.equal(existsSync(join(folder, 'gone')), false);
      });

      it('name what refused them and leave nothing', async () => {
        mkdirSync(join(folder, 'file.json/full'), { recursive: true });
        const result = await write(join(folder, 'file.json'), 'x');
        assert.equal(result.ok ? null : result.failure.reason, 'io');
        assert.deepEqual(readdirSync(folder), ['file.json']);
      });
    });
  }

  it('that a newer write has overtaken are dropped', async () => {
    const path = join(folder, 'file.json');
    const slow = writeFileAtomic(path, 'older', { stillWanted: () => false });
    writeFileAtomicSync(path, 'newer');
    await slow;
    assert.equal(readFileSync(path, 'utf8'), 'newer');
    assert.deepEqual(readdirSync(folder), ['file.json']);
  });

  it('are cleared of what dead writers left half written, and of nothing else', () => {
    const dead = '.file.json.99999999-0123456789ab.tmp';
    const kept = [`.file.json.${process.pid}-0123456789ab.tmp`, 'file.json', '.other.tmp'];
    for (const name of [dead, ...kept]) writeFileSync(join(folder, name), '');
    assert.deepEqual(removeDeadTemporaries(folder), [dead]);
    assert.deepEqual(readdirSync(folder).sort(), kept.sort());
  });

  it('fail under names that tell a full disk from a missing permission, handle or folder', () => {
    const reasons: Record<string, string> = {
      ENOSPC: 'disk_full',
      EDQUOT: 'disk_full',
      EMFILE: 'no_handles',
      ENFILE: 'no_handles',
      EACCES: 'no_permission',
      EPERM: 'no_permission',
      EROFS: 'no_permission',
      ENOENT: 'missing_folder',
      ENOTDIR: 'missing_folder',
      EIO: 'io',
      EBUSY: 'io',
    };
    for (const [code, reason] of Object.entries(reasons)) {
      assert.equal(classifyIoError(Object.assign(new Error('x'), { code }), '/x').reason, reason, code);
    }
  });

  describe('the heartbeat', () => {
    it('is read back as it was written', () => {
      assert.deepEqual(writeHeartbeat(folder, BEAT), { ok: true });
      assert.deepEqual(readHeartbeat(folder), { kind: 'heartbeat', heartbeat: BEAT });
    });

    it('fails as a value when the state directory is gone, and does not bring it back (R88, R89)', () => {
      const gone = join(folder, 'gone');
      const result = writeHeartbeat(gone, BEAT);
      assert.equal(result.ok ? null : result.failure.reason, 'missing_folder');
      assert.equal(existsSync(gone), false);
      assert.deepEqual(readHeartbeat(gone), { kind: 'absent' });
    });

    it('that is torn or a folder is corrupt and blocks nobody', () => {
      writeFileSync(join(folder, 'heartbeat.json'), '{"pid": 1');
      assert.equal(readHeartbeat(folder).kind, 'corrupt');
      rmSync(join(folder, 'heartbeat.json'));
      mkdirSync(join(folder, 'heartbeat.json'));
      assert.equal(readHeartbeat(folder).kind, 'corrupt');
    });
  });
});
