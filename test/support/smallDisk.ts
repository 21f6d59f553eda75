/** A file system of the test's own, small enough to be filled, and folders that become read-only under a program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary.ts';
import { PROJECT } from './workspace.ts';

function mayMount(): boolean {
  const folder = temporaryFolder('mount');
  const mounts = mount('-t', 'tmpfs', '-o', 'size=64k', 'none', folder) === '';
  if (mounts) unmount(folder);
  rmdirSync(folder);
  return mounts;
}

/**
 * A `describe` whose tests mount. Who may not has them run by another mocha in a user namespace of its own, where it is
 * root; where the system allows no such namespace they are skipped, and the reason is said.
 */
export function describeWithMounts(title: string, file: string, body: (this: Mocha.Suite) => void): void {
  if (mayMount()) {
    describe(title, body);
    return;
  }
  it(`${title} (in a user namespace)`, function () {
    this.timeout(300_000);
    const reason = unshare('true');
    if (process.env.COPPICE_TEST_NAMESPACE !== undefined || reason !== '') {
      console.log(`      skipped: nothing may be mounted here, and no user namespace be made (${reason})`);
      this.skip();
    }
    const mocha = join(PROJECT, 'node_modules/mocha/bin/mocha.js');
    const words = [process.execPath, mocha, '--config', '.mocharc.slow.json', '--no-package', '--grep', title, file];
    assert.equal(unshare(...words), '');
  });
}

function unshare(...words: string[]): string {
  const env = { ...process.env, COPPICE_TEST_NAMESPACE: '1' };
  const options = { cwd: PROJECT, env, encoding: 'utf8' } as const;
  const { status, stdout, stderr, error } = spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--mount', ...words],
    options,
  );
  return status === 0 ? '' : (error?.message ?? (`${stdout}${stderr}` || `exit code ${status}`));
}

const mounted: string[] = [];
const disks: string[] = [];

/** An empty disk with room for `bytes`. `removeSmallDisks` takes it away. */
export class SmallDisk {
  readonly path: string;
  readonly #ballast: string;

  constructor(bytes: number) {
    this.path = temporaryFolder('disk');
    disks.push(this.path);
    this.#ballast = join(this.path, 'ballast');
    assert.equal(mount('-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'none', this.path), '');
    mounted.push(this.path);
  }

  /** Leaves no room for a single byte. */
  fill(): void {
    const fd = openSync(this.#ballast, 'a');
    try {
      for (let size = 1024 ** 2; size > 0; ) {
        try {
          if (writeSync(fd, Buffer.alloc(size)) < size) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
          size = Math.floor(size / 2);
        }
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }
}

/** From now on nothing can be made, changed or opened for writing below `folder`, by anyone; gives the way back. */
export function makeReadOnly(folder: string): () => void {
  // A mount over itself: files that are open already belong to the one below, which may have writers.
  assert.equal(mount('--bind', folder, folder), '');
  mounted.push(folder);
  assert.equal(mount('-o', 'remount,ro,bind', folder), '');
  return () => {
    unmount(folder);
    mounted.splice(mounted.indexOf(folder), 1);
  };
}

export function removeSmallDisks(): void {
  for (const folder of mounted.splice(0).reverse()) unmount(folder);
  for (const folder of disks.splice(0)) rmdirSync(folder);
}

function mount(...words: string[]): string {
  const { status, stderr, error } = spawnSync('mount', words, { encoding: 'utf8' });
  return status === 0 ? '' : (error?.message ?? (stderr || `exit code ${status}`));
}

/** What still has it open keeps what it has. */
function unmount(folder: string): void {
  const { status, stderr } = spawnSync('umount', ['-l', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
