import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { bootId, liveness } from '../../../server/process/identity.ts';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';

const many = Array.from({ length: 20 }, (_value, index) => `many-${index}`);

describe('settings of a real service', function () {
  this.timeout(30_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('settings', (director, workspace) => {
      workspace.write('first.env', 'FROM_FILE=first\nBOTH=first\nWINS=file\n');
      workspace.write('second.env', 'BOTH=second\nREFERS="${FROM_FILE} and more"\n');
      mkdirSync(join(workspace.root, 'inner'));
      const service = (name: string, more: object = {}) => ({
        command: director.command(name),
        enabled: false,
        ready: { log: '^up$' },
        restart: { backoff: { initial: '5ms', max: '5ms' } },
        ...more,
      });
      const atEof = ['python3', '-u', '-c', 'import sys; print("reading"); sys.stdin.read(); print("end of input")'];
      return {
        services: {
          plain: service('plain', { enabled: true }),
          optional: service('optional'),
          idle: service('idle', { port: 'auto', idleStop: '1s' }),
          held: { command: atEof, stdin: 'hold', enabled: false, ready: { log: 'reading' } },
          unheld: { command: atEof, enabled: false, ready: 'none' },
          signalled: service('signalled', { stopSignal: 'SIGINT' }),
          stubborn: service('stubborn', { stopTimeout: '150ms' }),
          shell: {
            command: 'echo "one $((1 + 1))" | sed s/one/two/; echo up; exec sleep 1000',
            shell: true,
            enabled: false,
            ready: { log: '^up$' },
          },
          composed: service('composed', {
            command: director.command('composed', '--port=${port}'),
            port: 'auto',
            cwd: 'inner',
            env: { WINS: 'entry', URL: 'http://127.0.0.1:${port}/', NUMBER: 5 },
            envFile: ['../first.env', '../second.env'],
          }),
          ...Object.fromEntries(many.map((name) => [name, service(name, { port: 'auto' })])),
        },
      };
    });
    for (const name of ['plain', 'optional', 'idle', 'signalled', 'stubborn', 'composed', ...many]) {
      stage.director.plan(name, () => [{ print: 'up' }]);
    }
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  it('starts what is not enabled only by name', async () => {
    await stage.up();
    await stage.until('plain', 'ready');
    assert.equal((await stage.service('optional')).state, 'stopped');
    await stage.up('optional');
    await stage.until('optional', 'ready');
  });

  it('stops a service that nobody uses, spares it while somebody is connected, and counts nothing', async () => {
    stage.director.plan('idle', () => [{ tcp: {} }, { print: 'up' }]);
    await stage.up('idle');
    const { port } = await stage.until('idle', 'ready');
    const visitor = connect({ port: port ?? 0, host: '127.0.0.1' });
    await stage.until('idle', (one) => Date.now() - (one.readyAt ?? 0) > 2500);
    const visited = (await stage.service('idle')).state;
    visitor.destroy();
    const stopped = await stage.until('idle', 'stopped');
    assert.deepEqual([visited, stopped.crashes, stopped.detail], ['ready', 0, 'stopped because it was idle']);
    await stage.up('idle');
    await stage.until('idle', 'ready');
  });

  it('keeps a program up that ends with its input, with `stdin: hold`', async () => {
    await stage.up('held', 'unheld');
    const [held, unheld] = await Promise.all([stage.until('held', 'ready'), stage.until('unheld', 'completed')]);
    assert.doesNotMatch(stage.log('held'), /end of input/);
    assert.match(stage.log('unheld'), /end of input/);
    assert.deepEqual([held.restarts, unheld.lastExit?.code], [0, 0]);
    await stage.stop('held');
  });

  it('asks to end with `stopSignal`', async () => {
    await stage.up('signalled');
    await stage.until('signalled', 'ready');
    const actor = stage.director.starts('signalled')[0];
    await actor?.tell({ exitOn: { signal: 'SIGTERM', code: 1 } });
    await actor?.tell({ exitOn: { signal: 'SIGINT', code: 2 } });
    await stage.stop('signalled');
    assert.equal((await stage.service('signalled')).lastExit?.code, 2);
  });

  it('kills what has not ended after `stopTimeout`', async () => {
    await stage.up('stubborn');
    await stage.until('stubborn', 'ready');
    const actor = stage.director.starts('stubborn')[0];
    await actor?.tell({ trap: 'SIGTERM' });
    const began = performance.now();
    const [outcome] = await stage.stop('stubborn');
    const tookMs = performance.now() - began;
    assert.deepEqual(
      [actor?.trapped, (await stage.service('stubborn')).lastExit?.signal, outcome?.proof?.survivors.length],
      [['SIGTERM'], 'SIGKILL', 0],
    );
    assert.ok(tookMs >= 150 && tookMs < 2000, `${tookMs}`);
  });

  it('gives the text to a shell with `shell: true`', async () => {
    await stage.up('shell');
    await stage.until('shell', 'ready');
    assert.match(stage.log('shell'), /two 2/);
  });

  it('composes the environment from files and entry, and fills the port in', async () => {
    await stage.up('composed');
    const { port } = await stage.until('composed', 'ready');
    const { env, argv, cwd } = stage.director.starts('composed')[0]!.hello;
    assert.deepEqual(
      [env.FROM_FILE, env.BOTH, env.REFERS, env.WINS, env.NUMBER, env.URL, env.PORT, argv.at(-1), cwd],
      [
        'first',
        'second',
        'first and more',
        'entry',
        '5',
        `http://127.0.0.1:${port}/`,
        String(port),
        `--port=${port}`,
        join(stage.workspace.root, 'inner'),
      ],
    );
  });

  it('keeps the port over a crash, a restart and a stop', async () => {
    const actor = stage.director.starts('composed')[0];
    void actor?.tell({ exit: 1 });
    await stage.director.start('composed', 2);
    await stage.until('composed', 'ready');
    await stage.request('restart', { names: ['composed'] });
    await stage.until('composed', 'ready');
    await stage.stop('composed');
    await stage.up('composed');
    await stage.director.start('composed', 4);
    const ports = new Set(stage.director.starts('composed').map((one) => one.hello.env.PORT));
    assert.equal(ports.size, 1);
  });

  it('gives no two services the same port, though twenty start at once (R73)', async () => {
    await stage.up(...many);
    await Promise.all(many.map((name) => stage.director.start(name, 1)));
    const services = (await stage.status()).services.filter((one) => one.name.startsWith('many-'));
    const ports = services.map((one) => one.port);
    assert.deepEqual([ports.includes(null), new Set(ports).size], [false, 20]);
  });

  it('ends twenty at once, each proven gone by pid and start time', async () => {
    const records = stage
      .journal()
      .filter((one) => one.event === 'service_spawned' && String(one.name).startsWith('many-'));
    await stage.stop(...many);
    const alive = records.filter(({ pid, startTime }) => {
      const identity = { pid: Number(pid), startTime: String(startTime), bootId: bootId() };
      return liveness(identity) === 'alive';
    });
    assert.deepEqual([records.length, alive], [20, []]);
  });
});
