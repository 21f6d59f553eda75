import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuardianWay } from '../../../server/process/guardian.ts';
import { describeGuardian } from '../../support/guardianContract.ts';
import { describeKeeper } from '../../support/keeperContract.ts';
import { describePact } from '../../support/pactContract.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const FOLDER = fileURLToPath(new URL('../../../server/process/platform/linux/', import.meta.url));
const HERE = `keeper-linux-${process.arch}`;

describe('the native keeper', function () {
  this.timeout(20_000);
  after(removeTemporaryFolders);

  const prebuilt = (): readonly string[] | null => runnable(FOLDER, HERE);
  describeKeeper('prebuilt for this processor', prebuilt);
  describePact('prebuilt for this processor', prebuilt, { reachesAll: true });
  describeGuardian('the guardian, prebuilt for this processor', () => guardianOf(prebuilt()));

  for (const arch of ['x64', 'arm64'].filter((candidate) => candidate !== process.arch)) {
    const title = `prebuilt for ${arch}, under an emulator where there is one`;
    describeKeeper(title, () => emulated(FOLDER, arch), { reapsOrphans: false });
    describePact(title, () => emulated(FOLDER, arch), { reachesAll: false });
    describeGuardian(`the guardian, ${title}`, () => guardianOf(emulated(FOLDER, arch)));
  }

  const built = (defines = ''): readonly string[] | null => {
    const folder = temporaryFolder('keeper-build');
    const env = { ...process.env, KEEPER_DEFINES: defines };
    const result = spawnSync('sh', [join(FOLDER, 'build-keeper.sh'), folder], { encoding: 'utf8', env });
    if (result.status !== 0) throw new Error(result.stderr);
    return runnable(folder, HERE);
  };
  describeKeeper('built from its source where there is a compiler', () => built());
  describePact('built from its source where there is a compiler', () => built(), { reachesAll: true });
  describeGuardian(
    'the guardian, built from its source where there is a compiler',
    () => guardianOf(built()),
    () => guardianOf(built('-DSPEECHLESS_MILLISECONDS=1000')),
  );
});

describe('the scripts that stand in for the native keeper', function () {
  this.timeout(20_000);
  after(removeTemporaryFolders);
  const script = (name: string): string => join(FOLDER, '../posix', name);

  describePact('the keeper', () => ['/bin/sh', script('keeper.sh')], { reachesAll: false });
  const guardian = (): GuardianWay => ({ kind: 'shell', command: ['/bin/sh', script('guardian.sh')] });
  describeGuardian('the guardian', guardian, guardian);
});

function guardianOf(keeper: readonly string[] | null): GuardianWay | null {
  const [program, ...words] = keeper ?? [];
  return program === undefined ? null : { kind: 'native', command: [program, ...words, '--guardian'] };
}

function runnable(folder: string, name: string): readonly string[] | null {
  const path = join(folder, name);
  return spawnSync(path, []).status === 64 ? [path] : null;
}

function emulated(folder: string, arch: string): readonly string[] | null {
  const emulator = arch === 'arm64' ? 'qemu-aarch64' : 'qemu-x86_64';
  const path = join(folder, `keeper-linux-${arch}`);
  return spawnSync(emulator, [path]).status === 64 ? [emulator, path] : null;
}
