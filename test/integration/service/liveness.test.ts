import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';

const interval = '40ms';

describe('liveness of a real service', function () {
  this.timeout(30_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('liveness', (director, workspace) => {
      workspace.write('alive', '');
      const service = (name: string, live: object) => ({
        command: director.command(name),
        enabled: false,
        port: 'auto',
        ready: { log: '^up$' },
        restart: { backoff: { initial: '5ms', max: '10ms' }, wedges: { count: 1, window: '30m' } },
        live: { interval, timeout: '200ms', ...live },
      });
      return {
        services: {
          wavering: service('wavering', { http: '/', failures: 50 }),
          wedged: service('wedged', { http: '/', failures: 3 }),
          hanging: service('hanging', { http: '/', failures: 2 }),
          exec: service('exec', { exec: ['sh', '-c', 'test -f alive || { echo x >> failures; false; }'], failures: 4 }),
          tcp: service('tcp', { tcp: '${port}', failures: 2 }),
          beating: service('beating', { log: 'beat', interval: '400ms', failures: 2 }),
        },
      };
    });
    for (const name of ['wavering', 'wedged', 'hanging']) {
      stage.director.plan(name, () => [{ http: {} }, { print: 'up' }]);
    }
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  it('shows `degraded` with the answer while probes fail, and `ready` again afterwards', async () => {
    await stage.up('wavering');
    await stage.until('wavering', 'ready');
    const actor = stage.director.starts('wavering')[0];
    await actor?.tell({ status: 500 });
    const degraded = await stage.until('wavering', 'degraded');
    await actor?.tell({ status: 200 });
    const ready = await stage.until('wavering', 'ready');
    assert.match(degraded.detail ?? '', /liveness probe failed .*answered 500/);
    assert.deepEqual([ready.incarnation, ready.crashes], [1, 0]);
  });

  it('restarts a wedged service without counting a crash, and fails it when their budget is spent (R70)', async () => {
    await stage.up('wedged');
    for (const number of [1, 2]) {
      const actor = await stage.director.start('wedged', number);
      await stage.until('wedged', (one) => one.state === 'ready' && one.incarnation === number);
      await actor.tell({ status: 500 });
    }
    const failed = await stage.until('wedged', (one) => one.failure !== null);
    const causes = stage.journal('wedged', 'service_exited').map((one) => one.likelyCause);
    assert.deepEqual([causes, failed.crashes], [['wedged', 'wedged'], 0]);
    assert.match(failed.failure ?? '', /stopped answering 2 times[\s\S]*answered 500/);
  });

  it('takes a server that accepts and never answers for wedged', async () => {
    await stage.up('hanging');
    await stage.until('hanging', 'ready');
    await stage.director.starts('hanging')[0]?.tell({ status: 'hang' });
    await stage.director.start('hanging', 2);
    assert.equal((await stage.service('hanging')).lastExit?.cause, 'wedged');
  });

  it('asks a command, and restarts at exactly the number of failures', async () => {
    stage.director.plan('exec', () => [{ print: 'up' }]);
    await stage.up('exec');
    await stage.until('exec', 'ready');
    rmSync(join(stage.workspace.root, 'alive'));
    await stage.director.start('exec', 2);
    const wedge = (await stage.service('exec')).lastExit;
    const failures = readFileSync(join(stage.workspace.root, 'failures'), 'utf8');
    stage.workspace.write('alive', '');
    assert.deepEqual([wedge?.cause, failures], ['wedged', 'x\n'.repeat(4)]);
  });

  it('asks a port, which a process of the tree must hold', async () => {
    stage.director.plan('tcp', (start) => (start === 1 ? [{ print: 'up' }] : [{ tcp: {} }, { print: 'up' }]));
    await stage.up('tcp');
    await stage.director.start('tcp', 2);
    await stage.until('tcp', 'ready');
    assert.equal(stage.journal('tcp', 'service_exited')[0]?.likelyCause, 'wedged');
  });

  it('looks for a line since the last look', async () => {
    stage.director.plan('beating', () => [{ print: 'up' }]);
    await stage.up('beating');
    await stage.until('beating', 'ready');
    const first = stage.director.starts('beating')[0];
    const beat = setInterval(() => void first?.tell({ print: 'beat' }), 50);
    await stage.until('beating', (one) => one.state === 'ready' && Date.now() - (one.readyAt ?? 0) > 1300);
    clearInterval(beat);
    await stage.director.start('beating', 2);
    assert.equal((await stage.service('beating')).lastExit?.cause, 'wedged');
  });
});
