import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { marked, TestWorkspace } from '../../support/workspace.ts';

describe('fifty concurrent `coppice up --detach`', () => {
  after(removeTemporaryFolders);

  it('with different homes make one supervisor, which all others join (R102, R104)', async function () {
    this.timeout(120_000);
    const workspace = new TestWorkspace('fifty');
    try {
      workspace.configure({ services: { one: { command: 'sleep 1000' } } });
      const base = temporaryFolder('homes');
      const ends = await Promise.all(
        Array.from({ length: 50 }, (_, index) => {
          const [home, state, runtime] = ['home', 'state', 'run'].map((name) => join(base, `${name}${index}`));
          for (const folder of [home, state, runtime]) mkdirSync(folder ?? '', { mode: 0o700 });
          const env = { HOME: home, XDG_STATE_HOME: state, XDG_RUNTIME_DIR: runtime };
          return workspace.begin(['up', '--detach', '--json'], env).ended;
        }),
      );
      const pids = new Set<number>();
      for (const end of ends) {
        assert.ok(end.code === 0 || end.code === 2, `exit ${end.code}: ${end.stderr}`);
        if (end.code === 0) pids.add(JSON.parse(end.stdout).supervisor.pid);
      }
      assert.equal(pids.size, 1);
      const { workspace: place } = await workspace.status();
      assert.equal(marked(`${place.id}/`).length, 1);
      assert.equal((await workspace.json<{ supervisors: { count: number } }>('doctor')).supervisors.count, 1);
    } finally {
      await workspace.close();
    }
  });
});
