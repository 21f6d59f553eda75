import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { openRegistry, readRegistry } from '../../../server/store/registry.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, '../../support/programs/enter-trees.ts');

describe('a registry that another process writes', () => {
  after(removeTemporaryFolders);

  it('always shows a tree that was entered, also to whoever reads while its changes move into the whole file', async () => {
    const stateDir = temporaryFolder('registry');
    const writer = spawn(process.execPath, [PROGRAM, stateDir, '600'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let entered = 0;
    let ended = false;
    writer.stdout.on('data', (text: Buffer) => {
      entered += text.toString().split('\n').length - 1;
    });
    writer.once('exit', () => {
      ended = true;
    });
    const short: string[] = [];
    while (!ended) {
      const before = entered;
      const { trees } = readRegistry(stateDir);
      if (trees.size < before) short.push(`${trees.size} of ${before}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(short, []);
  });

  it('shows restart accounting at once, however long the whole file waits: a killed writer loses no crash that it counted', () => {
    const stateDir = temporaryFolder('registry');
    const { registry } = openRegistry(stateDir, { supervisor: { pid: 1, startTime: '1' }, debounceMs: 60_000 });
    registry.setService('web', { crashes: 3 });
    registry.setService('gone', { crashes: 1 });
    registry.removeService('gone');
    assert.deepEqual(readRegistry(stateDir).services, { web: { crashes: 3 } });
    registry.close();
  });
});
