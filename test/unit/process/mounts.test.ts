import assert from 'node:assert/strict';
import { parseOpenFilesLimit } from '../../../server/process/machine.ts';
import { isRemote, mountOf, parseMounts } from '../../../server/process/mounts.ts';

const MOUNTINFO = [
  '24 1 254:0 / / rw,relatime - ext4 /dev/vda1 rw',
  '30 24 0:26 / /home/a\\040b rw,nosuid shared:2 master:1 - nfs4 server:/home rw,vers=4.2',
  '31 24 0:27 / /mnt/c rw,noatime - 9p drvfs rw,dirsync',
  '32 31 0:28 / /mnt/c/deep rw - fuse.sshfs me@there: rw',
  '33 24 0:29 / /mnt/c rw - tmpfs tmpfs rw',
  'nonsense',
].join('\n');

describe('the table of mounts', () => {
  const mounts = parseMounts(MOUNTINFO);

  it('is read with its escapes and optional fields, other lines left out', () => {
    assert.deepEqual(
      mounts.map((one) => [one.path, one.type, one.source]),
      [
        ['/', 'ext4', '/dev/vda1'],
        ['/home/a b', 'nfs4', 'server:/home'],
        ['/mnt/c', '9p', 'drvfs'],
        ['/mnt/c/deep', 'fuse.sshfs', 'me@there:'],
        ['/mnt/c', 'tmpfs', 'tmpfs'],
      ],
    );
  });

  for (const [path, type] of [
    ['/home/a b/project', 'nfs4'],
    ['/home/a bc', 'ext4'],
    ['/mnt/c/x', 'tmpfs'],
    ['/mnt/c/deep/x', 'fuse.sshfs'],
    ['/mnt', 'ext4'],
  ] as const) {
    it(`finds ${path} on ${type}`, () => assert.equal(mountOf(path, mounts)?.type, type));
  }

  for (const type of ['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'drvfs', 'fuse.sshfs', 'fuseblk', 'virtiofs']) {
    it(`takes ${type} for remote`, () => assert.equal(isRemote({ path: '/', type, source: '' }), true));
  }

  for (const type of ['ext4', 'btrfs', 'xfs', 'tmpfs', 'overlay', 'zfs', 'nfsd', 'fusectl']) {
    it(`does not take ${type} for remote`, () => assert.equal(isRemote({ path: '/', type, source: '' }), false));
  }
});

describe('the limit of open files', () => {
  it('is the soft one; none is no limit', () => {
    const limits = (soft: string): string =>
      `Limit  Soft  Hard  Units\nMax open files            ${soft}   524288  files\n`;
    assert.deepEqual([limits('1024'), limits('unlimited'), ''].map(parseOpenFilesLimit), [1024, null, null]);
  });
});
