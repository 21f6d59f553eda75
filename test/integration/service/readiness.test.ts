import assert from 'node:assert/strict';
import { existsSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { findFreePort } from '../../../server/process/ports.ts';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { PROJECT } from '../../support/workspace.ts';

const restart = { backoff: { initial: '5ms', max: '10ms' }, crashes: { count: 2, window: '5m' } };
const storefront = join(PROJECT, 'test/workspaces/storefront');
const typescriptServer = join(storefront, 'node_modules/.bin/typescript-language-server');

describe('readiness of a real service', function () {
  this.timeout(30_000);
  let stage: Stage;
  let stranger: Server;
  let strangersPort = 0;
  let contested = 0;

  before(async () => {
    stranger = createServer((_request, response) => response.end('not yours'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    strangersPort = (stranger.address() as AddressInfo).port;
    contested = await findFreePort(new Set([strangersPort]));
    stage = await Stage.open('readiness', (director) => {
      const service = (name: string, ready: unknown, more: object = {}) => ({
        command: director.command(name),
        enabled: false,
        restart,
        stopTimeout: '500ms',
        port: 'auto',
        ready,
        ...more,
      });
      const http = { http: '/', interval: '20ms' };
      const fake = [process.execPath, join(PROJECT, 'test/support/programs/languageServer.mjs')];
      return {
        services: {
          http: service('http', http),
          redirect: service('redirect', http),
          sixth: service('sixth', http),
          fourth: service('fourth', http),
          plain: service('plain', { ...http, timeout: '400ms' }),
          erring: service('erring', { ...http, timeout: '400ms' }),
          robbed: service('robbed', http, { port: strangersPort }),
          raced: service('raced', { ...http, timeout: '600ms' }, { port: contested }),
          tcp: service('tcp', { tcp: '${port}', interval: '20ms' }),
          log: service('log', { log: '^ready (\\d+)$', timeout: '600ms' }),
          exec: service('exec', { exec: ['test', '-f', 'prepared'], interval: '20ms' }),
          none: service('none', 'none'),
          dying: service('dying', { ...http, timeout: '30s' }),
          fakeLsp: { kind: 'lsp', command: [...fake, 'answer'], enabled: false },
          silentLsp: {
            kind: 'lsp',
            command: [...fake, 'silent'],
            enabled: false,
            restart,
            ready: { lsp: true, timeout: '800ms' },
          },
          typescript: { kind: 'lsp', command: 'typescript-language-server --stdio', enabled: false },
        },
      };
    });
  });

  after(async () => {
    await stage.close();
    stranger.close();
    removeTemporaryFolders();
  });

  it('takes a 200 for an answer, and a 500 for none (R68)', async () => {
    stage.director.plan('http', () => [{ status: 500 }, { http: {} }]);
    await stage.up('http');
    const actor = await stage.director.start('http', 1);
    await actor.tell({ print: 'listening' });
    const asked = await stage.service('http');
    await actor.tell({ status: 200 });
    const ready = await stage.until('http', 'ready');
    assert.deepEqual([asked.state, ready.incarnation, ready.url], ['starting', 1, `http://localhost:${ready.port}/`]);
  });

  it('takes a redirect for an answer', async () => {
    stage.director.plan('redirect', () => [{ status: 302 }, { http: {} }]);
    await stage.up('redirect');
    await stage.until('redirect', 'ready');
  });

  it('finds a server that listens on ::1 only', async () => {
    stage.director.plan('sixth', () => [{ http: { host: '::1' } }]);
    await stage.up('sixth');
    await stage.until('sixth', 'ready');
  });

  it('finds a server that listens on 127.0.0.1 only', async () => {
    stage.director.plan('fourth', () => [{ http: { host: '127.0.0.1' } }]);
    await stage.up('fourth');
    await stage.until('fourth', 'ready');
  });

  it('never takes an open port that speaks no HTTP for ready (R68)', async () => {
    stage.director.plan('plain', () => [{ tcp: {} }]);
    await stage.up('plain');
    const failed = await stage.until('plain', (one) => one.failure !== null);
    assert.equal(stage.journal('plain', 'service_ready').length, 0);
    assert.match(failed.failure ?? '', /not ready within 400 ?ms: /);
  });

  it('says with which status a server answered that never became ready', async () => {
    stage.director.plan('erring', () => [{ status: 503 }, { http: {} }]);
    await stage.up('erring');
    const failed = await stage.until('erring', (one) => one.failure !== null);
    assert.match(failed.failure ?? '', /answered 503/);
  });

  it('refuses to start on the port of a stranger, and names his pid and command (R68)', async () => {
    await stage.up('robbed');
    const failed = await stage.until('robbed', (one) => one.failure !== null);
    assert.match(failed.failure ?? '', new RegExp(`pid ${process.pid} \\(.*mocha.*not one of ours`, 's'));
    assert.equal(stage.director.starts('robbed').length, 0);
    assert.ok(stranger.listening);
  });

  it('is not fooled by a stranger who takes the port after the start, and names him', async () => {
    const rival = createServer((_request, response) => response.end('not yours'));
    await stage.up('raced');
    await stage.director.start('raced', 1);
    await new Promise<void>((resolve) => rival.listen(contested, '127.0.0.1', resolve));
    const failed = await stage.until('raced', (one) => one.failure !== null || one.state === 'ready');
    rival.close();
    const said = stage.journal('raced', 'backoff').length + stage.journal('raced', 'service_ready').length;
    assert.deepEqual([failed.state, said], ['failed', 1]);
    assert.match(failed.failure ?? '', new RegExp(`pid ${process.pid} `));
  });

  it('is ready when a process of the tree takes connections', async () => {
    await stage.up('tcp');
    const actor = await stage.director.start('tcp', 1);
    assert.equal((await stage.service('tcp')).state, 'starting');
    await actor.tell({ tcp: {} });
    await stage.until('tcp', 'ready');
  });

  it('looks for the line in the output of this incarnation alone', async () => {
    stage.director.plan('log', (start) => (start === 1 ? [{ print: 'ready 1' }] : []));
    await stage.up('log');
    await stage.until('log', 'ready');
    void stage.director.starts('log')[0]?.tell({ exit: 1 });
    const failed = await stage.until('log', (one) => one.failure !== null);
    assert.deepEqual([failed.incarnation, failed.lastExit?.cause], [2, 'readiness_timeout']);
    assert.match(stage.log('log'), /ready 1/);
  });

  it('asks a command that runs in the folder of the service', async () => {
    await stage.up('exec');
    await stage.director.start('exec', 1);
    assert.equal((await stage.service('exec')).state, 'starting');
    stage.workspace.write('prepared', '');
    await stage.until('exec', 'ready');
  });

  it('is ready without a probe once it has stayed up for a second', async () => {
    await stage.up('none');
    await stage.until('none', 'ready');
    const startup = Number((await stage.untilJournal('none', 'service_ready')).startupMs);
    assert.ok(startup >= 990 && startup < 2500, `${startup}`);
  });

  it('ends the wait at once when the service dies, with the cause that it had', async () => {
    await stage.up('dying');
    const first = await stage.director.start('dying', 1);
    const before = performance.now();
    void first.tell({ exit: 42 });
    await stage.director.start('dying', 2);
    const service = await stage.service('dying');
    assert.deepEqual([service.lastExit?.code, service.lastExit?.cause], [42, 'runtime_error']);
    assert.ok(performance.now() - before < 5000);
  });

  it('waits for a language server to answer `initialize`', async () => {
    await stage.up('fakeLsp');
    await stage.until('fakeLsp', 'ready');
  });

  it('counts a language server that never answers as not ready in time', async () => {
    await stage.up('silentLsp');
    const failed = await stage.until('silentLsp', (one) => one.failure !== null);
    assert.match(failed.failure ?? '', /has not answered initialize/);
  });

  it('brings a real TypeScript language server to ready', async function () {
    if (!existsSync(typescriptServer)) this.skip();
    symlinkSync(join(storefront, 'node_modules'), join(stage.workspace.root, 'node_modules'));
    await stage.up('typescript');
    await stage.until('typescript', 'ready', 25_000);
    assert.equal((await stage.stop('typescript'))[0]?.proof?.survivors.length, 0);
  });
});
