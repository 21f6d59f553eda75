import assert from 'node:assert/strict';
import type { HelperText } from '../../../server/process/helperText.ts';
import * as darwin from '../../../server/process/platform/darwin/memory.ts';
import {
  cgroupLimit,
  cgroupLimitFiles,
  memoryFromStatus,
  memoryTotal,
  proportionalFromRollup,
} from '../../../server/process/platform/linux/memory.ts';
import * as windows from '../../../server/process/platform/windows/memory.ts';

const status = (fields: string) => `Name:\tnode\nState:\tS (sleeping)\nVmRSS:\t  91234 kB\n${fields}`;

describe('memory of one process on Linux', () => {
  it('is RssAnon plus RssShmem (R66)', () => {
    assert.deepEqual(memoryFromStatus(status('RssAnon:\t  100 kB\nRssFile:\t 9000 kB\nRssShmem:\t  28 kB\n')), {
      bytes: 131_072,
      fallback: false,
    });
  });
  it('counts shared memory alone when nothing is anonymous (R66)', () => {
    assert.equal(memoryFromStatus(status('RssAnon:\t       0 kB\nRssShmem:\t     512 kB\n')).bytes, 524_288);
  });
  it('takes 0 of both for a true 0 (R66)', () => {
    assert.deepEqual(memoryFromStatus(status('RssAnon:\t       0 kB\nRssShmem:\t       0 kB\n')), {
      bytes: 0,
      fallback: false,
    });
  });
  it('is content with one of the two fields (R66)', () => {
    assert.deepEqual(memoryFromStatus(status('RssShmem:\t     512 kB\n')), { bytes: 524_288, fallback: false });
  });
  it('falls back to the resident size when neither field is there (R66)', () => {
    assert.deepEqual(memoryFromStatus(status('')), { bytes: 93_423_616, fallback: true });
  });
  it('is 0 for a zombie', () => {
    assert.deepEqual(memoryFromStatus('Name:\tnode\nState:\tZ (zombie)\nTgid:\t12\n'), { bytes: 0, fallback: false });
  });
  it('is 0 for a process that is gone', () => {
    assert.deepEqual(memoryFromStatus(null), { bytes: 0, fallback: false });
  });
  it('is not misled by a name that looks like a field', () => {
    assert.equal(memoryFromStatus('Name:\tRssAnon: 7 kB\nState:\tR (running)\nRssAnon:\t  1 kB\n').bytes, 1024);
  });
});

describe('proportional memory of one process on Linux', () => {
  const head = '55d0-7ffc ---p 00000000 00:00 0    [rollup]\nRss:     2000 kB\nPss:     1500 kB\nPss_Dirty:   900 kB\n';
  it('leaves file pages out where the kernel tells them apart', () => {
    assert.deepEqual(
      proportionalFromRollup(`${head}Pss_Anon:     800 kB\nPss_File:     600 kB\nPss_Shmem:     100 kB\n`),
      {
        bytes: 921_600,
        fallback: false,
      },
    );
  });
  it('takes the whole PSS, and says so, where it does not', () => {
    assert.deepEqual(proportionalFromRollup(head), { bytes: 1_536_000, fallback: true });
  });
  it('has no figure when nothing could be read', () => {
    assert.equal(proportionalFromRollup(null), null);
    assert.equal(proportionalFromRollup(''), null);
  });
});

describe('memory limits on Linux (R67)', () => {
  const v2 = '34 24 0:29 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
  it('asks every cgroup from the own one up to the root of version 2', () => {
    assert.deepEqual(cgroupLimitFiles('0::/user.slice/user-1000.slice\n', v2), [
      '/sys/fs/cgroup/user.slice/user-1000.slice/memory.max',
      '/sys/fs/cgroup/user.slice/memory.max',
      '/sys/fs/cgroup/memory.max',
    ]);
  });
  it('asks the memory controller of version 1, and no other', () => {
    const mounts =
      '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
    assert.deepEqual(cgroupLimitFiles('5:memory:/job\n1:cpu,cpuacct:/job\n', mounts), [
      '/sys/fs/cgroup/memory/job/memory.limit_in_bytes',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    ]);
  });
  it('finds its own cgroup in a container that sees the path of the host', () => {
    const mounts = '35 31 0:32 /docker/4f2a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n';
    assert.deepEqual(cgroupLimitFiles('5:memory:/docker/4f2a\n', mounts), [
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    ]);
  });
  it('has nothing to ask where no cgroup is mounted', () => {
    assert.deepEqual(cgroupLimitFiles('0::/\n', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n'), []);
  });
  it('takes "max" and the largest number of version 1 for no limit', () => {
    assert.equal(cgroupLimit('max\n'), Number.POSITIVE_INFINITY);
    assert.equal(cgroupLimit('9223372036854771712\n'), Number.POSITIVE_INFINITY);
    assert.equal(cgroupLimit(''), Number.POSITIVE_INFINITY);
    assert.equal(cgroupLimit('536870912\n'), 536_870_912);
  });
  it('reads the size of the RAM', () => {
    assert.equal(memoryTotal('MemTotal:       24684096 kB\nMemFree:  1 kB\n'), 25_276_514_304);
  });
});

describe('memory on macOS', () => {
  const footprint = [
    '======================================================================',
    'node [103]: 64-bit    Footprint: 253904480 B (16384 bytes per page)',
    '======================================================================',
    '',
    'Auxiliary data:',
    '    phys_footprint: 253937248 B',
    '    phys_footprint_peak: 333989448 B',
    '',
    '======================================================================',
    'esbuild [104]: 64-bit    Footprint: 2244968 B (16384 bytes per page)',
    '======================================================================',
    '',
  ];
  it('is the summary of `footprint`, which counts shared pages once', () => {
    const line = '======================================================================';
    assert.equal(
      darwin.footprintTotal([...footprint, line, 'Summary Footprint: 256100296 B', line].join('\n')),
      256_100_296,
    );
  });
  it('is the sum of the single figures when there is no summary', () => {
    assert.equal(darwin.footprintTotal(footprint.join('\n')), 256_149_448);
  });
  it('has no figure when `footprint` found no process', () => {
    assert.equal(darwin.footprintTotal("footprint: Unable to find pid for process matching '9'\n"), null);
  });
  it('falls back to the resident size of `ps`, zombies and strangers left out, when `footprint` fails', async () => {
    const run: HelperText = async ([program]) =>
      program === 'ps' ? '  103 S+    80000\n  104 Z         0\n  999 S     5000\n' : null;
    assert.deepEqual(await darwin.measureProportionalMemory([103, 104], run), { bytes: 81_920_000, fallback: true });
  });
});

describe('memory on Windows', () => {
  it('is the sum of private bytes', () => {
    assert.equal(windows.privateBytes('4120 52428800\r\n988 1048576\r\n7 99\r\n', [4120, 988]), 53_477_376);
  });
  it('says so when PowerShell gave nothing', async () => {
    assert.deepEqual(await windows.measureMemory([4120], async () => null), { bytes: 0, fallback: true });
  });
});
