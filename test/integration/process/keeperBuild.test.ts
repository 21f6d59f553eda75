import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeKeeper } from '../../support/keeperContract.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const FOLDER = fileURLToPath(new URL('../../../server/process/platform/linux/', import.meta.url));
const HERE = `keeper-linux-${process.arch}`;

describe('the native keeper', function () {
  this.timeout(20_000);
  after(removeTemporaryFolders);

  describeKeeper('prebuilt for this processor', () => runnable(FOLDER, HERE));

  for (const arch of ['x64', 'arm64'].filter((candidate) => candidate !== process.arch)) {
    describeKeeper(`prebuilt for ${arch}, under an emulator where there is one`, () => emulated(FOLDER, arch), {
      reapsOrphans: false,
    });
  }

  describeKeeper('built from its source where there is a compiler', () => {
    const folder = temporaryFolder('keeper-build');
    const built = spawnSync('sh', [join(FOLDER, 'build-keeper.sh'), folder], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    return runnable(folder, HERE);
  });
});

function runnable(folder: string, name: string): readonly string[] | null {
  const path = join(folder, name);
  return spawnSync(path, []).status === 64 ? [path] : null;
}

function emulated(folder: string, arch: string): readonly string[] | null {
  const emulator = arch === 'arm64' ? 'qemu-aarch64' : 'qemu-x86_64';
  const path = join(folder, `keeper-linux-${arch}`);
  return spawnSync(emulator, [path]).status === 64 ? [emulator, path] : null;
}
