import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { PROJECT } from '../../support/workspace.ts';

const holdMemory = join(PROJECT, 'test/support/programs/hold-memory.py');

// A level counts after three samples two seconds apart, so all of them are under way at the same time.
describe('the memory of a real service', function () {
  this.timeout(40_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('memory', (director, workspace) => {
      const service = (name: string, memory: object, drains: number) => ({
        command: director.command(name),
        enabled: false,
        ready: { log: '^up$' },
        memory,
        restart: { drains: { count: drains, window: '10m' } },
      });
      return {
        services: {
          mapper: {
            command: ['python3', holdMemory, 'file', String(1024 ** 3), join(workspace.root, 'sparse')],
            enabled: false,
            ready: { log: '^held$' },
            memory: { max: '300MB' },
          },
          drained: service('drained', { max: '200MB' }, 3),
          spent: service('spent', { max: '200MB' }, 0),
          warned: service('warned', { warn: '200MB', max: '2GB' }, 0),
        },
      };
    });
    stage.director.plan('drained', (start) => [{ print: 'up' }, ...(start === 1 ? [{ allocate: 300 }] : [])]);
    for (const name of ['spent', 'warned']) stage.director.plan(name, () => [{ print: 'up' }, { allocate: 300 }]);
    await stage.up('mapper', 'drained', 'spent', 'warned');
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  it('restarts what allocates over its limit, as a drain and not as a crash (R65)', async () => {
    await stage.director.start('drained', 2);
    const service = await stage.until('drained', 'ready');
    const [exit] = stage.journal('drained', 'service_exited');
    assert.deepEqual(
      [service.lastExit?.cause, exit?.likelyCause, service.crashes, service.restarts],
      ['memory_drain', 'memory_drain', 0, 1],
    );
  });

  it('fails it with the figures once the budget of drains is spent', async () => {
    const failed = await stage.until('spent', (one) => one.failure !== null);
    assert.equal(failed.crashes, 0);
    assert.match(failed.failure ?? '', /used more memory than it may once within 10m; .*held 3\d\d(\.\d)? ?MB/);
  });

  it('shows `degraded` with the figure above the warning level', async () => {
    const degraded = await stage.until('warned', 'degraded');
    assert.match(degraded.detail ?? '', /uses 3\d\d(\.\d)? ?MB of memory/);
    assert.ok((degraded.memoryMb ?? 0) >= 300, `${degraded.memoryMb}`);
  });

  it('leaves alone what maps a file of 1 GB and touches every page (R66)', async () => {
    await stage.until('mapper', 'ready');
    // Long enough for four samples, of which three would do.
    const mapper = await stage.until('mapper', (one) => Date.now() - (one.readyAt ?? Date.now()) > 7000);
    assert.deepEqual([mapper.state, mapper.incarnation], ['ready', 1]);
    assert.ok((mapper.memoryMb ?? 999) < 100, `${mapper.memoryMb}`);
  });
});
