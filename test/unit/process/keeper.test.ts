import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findKeepers, keeperCommand, parseKeeperReport } from '../../../server/process/keeper.ts';
import type { LaunchRequest } from '../../../server/process/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

describe('findKeepers', () => {
  after(removeTemporaryFolders);

  it('finds the prebuilt keeper beside the source, and the script after it', () => {
    const kinds = findKeepers({ platform: 'linux', arch: 'x64' }).map((keeper) => keeper.kind);
    assert.deepEqual(kinds, ['native', 'shell', 'none']);
  });

  it('finds both beside a bundle', () => {
    const dist = bundle(0o755);
    assert.deepEqual(findKeepers({ platform: 'linux', arch: 'arm64', from: dist }), [
      { kind: 'native', path: join(dist, 'keeper', 'linux-arm64') },
      { kind: 'shell', path: join(dist, 'keeper', 'posix.sh') },
      { kind: 'none' },
    ]);
  });

  for (const [platform, arch, kinds] of [
    ['linux', 'riscv64', ['shell', 'none']],
    ['darwin', 'arm64', ['shell', 'none']],
    ['win32', 'x64', ['none']],
  ] as const) {
    it(`offers ${kinds.join(' and ')} on ${platform} ${arch}`, () => {
      const keepers = findKeepers({ platform, arch, from: bundle(0o755) });
      assert.deepEqual(
        keepers.map((keeper) => keeper.kind),
        kinds,
      );
    });
  }

  it('gives a keeper back the execute bit that its package lost', () => {
    const dist = bundle(0o644);
    const [keeper] = findKeepers({ platform: 'linux', arch: 'x64', from: dist });
    assert.deepEqual(keeper, { kind: 'native', path: join(dist, 'keeper', 'linux-x64') });
    assert.equal(statSync(join(dist, 'keeper', 'linux-x64')).mode & 0o777, 0o755);
  });

  const refused = {
    platform: 'linux',
    arch: 'x64',
    restoreMode: () => {
      throw new Error('EROFS');
    },
  } as const;

  it('copies one that cannot be changed to a private folder, once', () => {
    const folder = join(temporaryFolder('private'), 'keeper');
    const search = { ...refused, from: bundle(0o644), privateFolders: [folder] };
    const [first] = findKeepers(search);
    assert.ok(first?.kind === 'native' && first.path.startsWith(folder));
    assert.deepEqual(findKeepers(search)[0], first);
    assert.equal(statSync(first.path).mode & 0o777, 0o700);
    assert.equal(readdirSync(folder).length, 1);
  });

  it('puts no copy into a folder that others can write', () => {
    const folder = temporaryFolder('open');
    chmodSync(folder, 0o777);
    const keepers = findKeepers({ ...refused, from: bundle(0o644), privateFolders: [folder] });
    assert.deepEqual(
      keepers.map((keeper) => keeper.kind),
      ['shell', 'none'],
    );
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('keeperCommand', () => {
  const request: LaunchRequest = {
    argv: ['/bin/vite', '--port', '1'],
    cwd: '/w',
    env: {},
    stdin: 'hold',
    outputPath: '/s/out',
    exitRecordPath: '/s/exit',
    marker: 'm',
  };

  it('names record, input, program and its words', () => {
    const words = ['/s/exit', 'hold', '--', '/bin/vite', '/bin/vite', '--port', '1'];
    assert.deepEqual(keeperCommand({ kind: 'native', path: '/k' }, request), ['/k', ...words]);
    assert.deepEqual(keeperCommand({ kind: 'shell', path: '/k.sh' }, request), ['/bin/sh', '/k.sh', ...words]);
  });

  it('is the command itself where there is no keeper', () => {
    assert.deepEqual(keeperCommand({ kind: 'none' }, request), request.argv);
  });
});

describe('parseKeeperReport', () => {
  for (const [line, report] of [
    ['started 12 345 344 11', { kind: 'started', pid: 12, startTime: '345', keeperStartTime: '344', keeperPid: 11 }],
    ['started 12 - -', { kind: 'started', pid: 12, startTime: null, keeperStartTime: null, keeperPid: null }],
    ['ended 0 -', { kind: 'ended', status: { code: 0, signal: null } }],
    ['error exec 2', { kind: 'error', stage: 'exec', code: 'ENOENT' }],
    ['error fork 11', { kind: 'error', stage: 'fork', code: 'EAGAIN' }],
    ['exited 7 -', { kind: 'exited', status: { code: 7, signal: null } }],
    ['exited - SIGKILL', { kind: 'exited', status: { code: null, signal: 'SIGKILL' } }],
  ] as const) {
    it(`understands "${line}"`, () => {
      assert.deepEqual(parseKeeperReport(line), report);
    });
  }

  for (const line of ['', 'started', 'started 0 1 1', 'started -5 1 1', 'started x 1 1', 'error exec', 'hello 1']) {
    it(`takes "${line}" for nothing`, () => {
      assert.equal(parseKeeperReport(line), null);
    });
  }
});

function bundle(mode: number): string {
  const dist = temporaryFolder('dist');
  mkdirSync(join(dist, 'keeper'));
  for (const name of ['linux-x64', 'linux-arm64', 'posix.sh']) {
    writeFileSync(join(dist, 'keeper', name), 'x');
    chmodSync(join(dist, 'keeper', name), mode);
  }
  return dist;
}
