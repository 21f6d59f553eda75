import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDeadTemporaries } from '../../server/store/atomic.ts';
import { readRegistry } from '../../server/store/registry.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, '../support/programs/state-writer.ts');

describe('the state of a supervisor that is killed while it writes (R76)', () => {
  after(removeTemporaryFolders);

  it('holds every tree that was registered and no torn file, over twelve lives', async () => {
    const stateDir = temporaryFolder('state');
    for (let life = 0; life < 12; life += 1) {
      const child = spawn(process.execPath, [PROGRAM, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (printed.split('\n').length > 3 + life * 2) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const { trees, findings } = readRegistry(stateDir);
      const registered = printed.split('\n').slice(0, -1);
      assert.ok(registered.length > 0);
      assert.deepEqual(
        registered.filter((key) => !trees.has(key)),
        [],
      );
      assert.deepEqual(
        findings.filter((one) => one.kind !== 'registry_corrupt' || one.path.endsWith('registry.json')),
        [],
      );
      for (const name of ['sync.json', 'async.json']) {
        if (readdirSync(stateDir).includes(name)) JSON.parse(readFileSync(join(stateDir, name), 'utf8'));
      }
    }
    removeDeadTemporaries(stateDir);
    assert.deepEqual(
      readdirSync(stateDir).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
