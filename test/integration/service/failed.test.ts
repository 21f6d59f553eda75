import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { portState } from '../../../server/process/ports.ts';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { marked } from '../../support/workspace.ts';

const restart = { backoff: { initial: '5ms', max: '10ms' }, crashes: { count: 3, window: '5m' } };

describe('a service that has failed', function () {
  this.timeout(30_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('failed', (director, workspace) => {
      chmodSync(workspace.write('no-program.sh', '#!/bin/sh\n'), 0o644);
      mkdirSync(join(workspace.root, 'vanishing'));
      const scripted = (name: string) => ({
        command: director.command(name),
        enabled: false,
        restart,
        stopTimeout: '100ms',
        port: 'auto',
        ready: { tcp: '${port}', interval: '20ms' },
      });
      return {
        services: {
          absent: { command: 'no-such-program --serve', enabled: false, restart },
          forbidden: { command: './no-program.sh', enabled: false, restart },
          homeless: { command: 'sleep 1000', cwd: 'vanishing', enabled: false, restart },
          envless: { command: 'sleep 1000', envFile: 'not/there.env', enabled: false, restart },
          dying: scripted('dying'),
          late: { ...scripted('late'), ready: { tcp: '${port}', interval: '20ms', timeout: '300ms' } },
          littering: scripted('littering'),
        },
      };
    });
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  for (const [name, expected] of [
    ['absent', /no-such-program[\s\S]*PATH|no-such-program[\s\S]*looked/],
    ['forbidden', /no-program\.sh/],
    ['envless', /not\/there\.env/],
  ] as const) {
    it(`bounds starts that cannot succeed and says why: ${name} (R49)`, async () => {
      await stage.up(name);
      const failed = await stage.until(name, (one) => one.state === 'failed' && one.failure !== null);
      assert.match(failed.failure ?? '', expected);
      assert.deepEqual([failed.crashes, stage.journal(name, 'spawn_failed').length], [3, 3]);
    });
  }

  it('counts a folder that has vanished as a failed start that names it (R49)', async () => {
    const { rmdirSync } = await import('node:fs');
    rmdirSync(join(stage.workspace.root, 'vanishing'));
    await stage.up('homeless');
    const failed = await stage.until('homeless', (one) => one.state === 'failed' && one.failure !== null);
    assert.match(failed.failure ?? '', /vanishing/);
    assert.equal(failed.crashes, 3);
  });

  it('has no process, no timer and no port, and says all there is to know (R61)', async () => {
    stage.director.plan('dying', (start) => [{ tcp: {} }, { print: `last words ${start}` }, { exit: 9 }]);
    await stage.up('dying');
    const failed = await stage.until('dying', (one) => one.state === 'failed' && one.failure !== null);
    const port = Number(stage.director.starts('dying')[0]?.hello.env.PORT);
    assert.deepEqual(
      [failed.pid, failed.port, failed.respawnAt, failed.lastExit?.code, failed.crashes],
      [null, null, null, 9, 3],
    );
    assert.match(
      failed.failure ?? '',
      /crashed 3 times, each within 5m[\s\S]*code 9[\s\S]*coppice reset dying[\s\S]*last words 3/,
    );
    assert.doesNotMatch(failed.failure ?? '', /last words 2/);
    assert.deepEqual(marked(`${stage.client.hello.workspace.id}/dying/`), []);
    assert.equal(await portState(port), 'free');
    assert.match((await stage.run('ps')).stdout, /dying +\S+ failed .*crashed 3 times.*code 9/);
  });

  it('refuses to start with exit code 1 and the text, until it is reset (R61)', async () => {
    const refused = await stage.run('start', 'dying');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /coppice reset dying[\s\S]*last words 3/);
    stage.director.plan('dying', () => [{ tcp: {} }]);
    assert.equal((await stage.run('reset', 'dying')).code, 0);
    assert.equal((await stage.run('start', 'dying')).code, 0);
    const ready = await stage.until('dying', 'ready');
    assert.deepEqual([ready.crashes, stage.director.starts('dying').length], [0, 4]);
  });

  it('cannot be reset out of any other state (R62)', async () => {
    await stage.until('dying', 'ready');
    const answer = await stage.run('reset', 'dying');
    assert.equal(answer.code, 1);
    assert.match(answer.stderr + answer.stdout, /not in state failed/);
    assert.equal((await stage.service('dying')).state, 'ready');
  });

  it('counts a readiness timeout as a crash, and has ended the tree before it starts another (R42)', async () => {
    stage.director.plan('late', () => [{ leave: 1 }]);
    await stage.up('late');
    const failed = await stage.until('late', (one) => one.state === 'failed' && one.failure !== null);
    const starts = stage.director.starts('late');
    assert.deepEqual(
      starts.map((one) => one.hello.predecessors),
      [[], [], []],
    );
    assert.equal(failed.lastExit?.cause, 'readiness_timeout');
    assert.match(failed.failure ?? '', /not ready within 300 ?ms: nothing listens on port \d+/);
    const ports = new Set(starts.map((one) => one.hello.env.PORT));
    assert.equal(ports.size, 1);
  });

  it('has ended everything that a crashed incarnation left before the next one starts (R38, R39, R41)', async () => {
    stage.director.plan('littering', (start) => [{ leave: 1 }, start === 1 ? { exit: 1 } : { signal: 'SIGKILL' }]);
    await stage.up('littering');
    await stage.until('littering', 'failed');
    const reaped = stage.journal('littering', 'tree_reaped').map((one) => Number(one.confirmed) >= 2);
    assert.deepEqual(
      [stage.director.starts('littering').map((one) => one.hello.predecessors), reaped],
      [
        [[], [], []],
        [true, true, true],
      ],
    );
  });

  it('gives its port back to the workspace when it has failed (R61)', async () => {
    const port = Number(stage.director.starts('littering').at(-1)?.hello.env.PORT);
    stage.director.plan('heir', () => [{ tcp: {} }]);
    stage.save({
      services: {
        ...stage.config.services,
        heir: { command: stage.director.command('heir'), port, enabled: false, ready: { tcp: port } },
      },
    });
    await stage.run('reload');
    await stage.up('heir');
    const heir = await stage.until('heir', (one) => one.state === 'ready' || one.crashes > 0);
    assert.equal(heir.state, 'ready', heir.detail ?? '');
  });
});
