import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { identify, liveness } from '../../../server/process/identity.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { TestWorkspace } from '../../support/workspace.ts';

const PAGE = `require('http').createServer((request, response) => {
  response.statusCode = request.url === '/' ? Number(process.env.ANSWER ?? 200) : 200;
  response.end('hello');
}).listen(process.env.PORT, '127.0.0.1')`;

function page(extra: object = {}): object {
  return { command: ['node', '-e', PAGE], port: 'auto', ready: { http: '/health' }, ...extra };
}

describe('coppice up', () => {
  let workspace: TestWorkspace;
  beforeEach(() => {
    workspace = new TestWorkspace('up');
  });
  afterEach(() => workspace.close());
  after(removeTemporaryFolders);

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`in the foreground stops everything on ${signal}, prints the proof and exits ${code}`, async () => {
      workspace.configure({ services: { web: page(), idle: { command: ['sh', '-c', 'sleep 1000 & wait'] } } });
      const up = workspace.begin(['up']);
      const web = await workspace.untilService('web', (one) => one.state === 'ready');
      await workspace.untilService('idle', (one) => one.state === 'ready');
      const { supervisor } = await workspace.status();
      const identities = [web.pid, supervisor?.pid].map((pid) => identify(pid ?? 0));
      up.child.kill(signal);
      const end = await up.ended;
      assert.equal(end.code, code, end.stderr);
      assert.match(end.stdout, /Nothing is left: 2 trees, [34] processes confirmed gone\.\n$/);
      await until('the supervisor gone', () => identities.every((one) => one !== null && liveness(one) === 'gone'));
      assert.ok(!existsSync(join(workspace.root, '.coppice/supervisor.lock')));
    });
  }

  it('prints one line a change where there is no terminal', async () => {
    workspace.configure({ services: { web: page() } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    await until('the line', () => /^web: ● ready {2}pid \d+, http:\/\/localhost:\d+\/, after /m.test(up.stderr));
    up.child.kill('SIGINT');
    await up.ended;
  });

  it('says that a saved configuration is wrong, which nothing else shows', async () => {
    workspace.configure({ services: { web: page() } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    workspace.configure({ services: { web: page({ nonsense: 1 }) } });
    await until('the line', () =>
      /^The configuration is wrong, the one before stays in force: coppice\.json:\d+: .*nonsense/m.test(up.stderr),
    );
    up.child.kill('SIGINT');
    await up.ended;
  });

  it('that joined stops on Ctrl-C only what it asked for', async () => {
    workspace.configure({ services: { web: page(), other: { command: 'sleep 1000' } } });
    assert.equal((await workspace.run('up', 'other', '--detach')).code, 0);
    const up = workspace.begin(['up', 'web']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    up.child.kill('SIGINT');
    assert.equal((await up.ended).code, 130);
    assert.equal((await workspace.service('web')).state, 'stopped');
    assert.equal((await workspace.service('other')).state, 'ready');
  });

  it('says so when the workspace is taken down from elsewhere, and exits 0', async () => {
    workspace.configure({ services: { web: page() } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    assert.equal((await workspace.run('down')).code, 0);
    const end = await up.ended;
    assert.match(end.stderr, /taken down by another client|runs any more/);
    assert.equal(end.code, 0);
  });

  it('--detach leaves everything running once it is ready, and prints the table', async () => {
    workspace.configure({ services: { web: page(), after: { command: 'sleep 1000', dependsOn: ['web'] } } });
    const end = await workspace.run('up', '--detach');
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /web +● ready/);
    assert.equal((await workspace.service('after')).state, 'ready');
  });

  it('--detach exits 1 with the reason when a service fails, and the rest runs on', async () => {
    const restart = { backoff: { initial: '10ms', max: '20ms' }, crashes: { count: 2, window: '5m' } };
    workspace.configure({
      services: {
        web: page(),
        broken: { command: ['sh', '-c', 'echo no database; exit 3'], restart },
        behind: { command: 'sleep 1000', dependsOn: ['broken'] },
      },
    });
    const end = await workspace.run('up', '--detach');
    assert.equal(end.code, 1);
    assert.match(end.stderr, /no database/);
    assert.match(end.stderr, /behind: ○ stopped {2}blocked/);
    assert.equal((await workspace.service('web')).state, 'ready');
  });

  it('--once fetches a page from each address, stops all and exits 0', async () => {
    workspace.configure({ services: { web: page(), idle: { command: 'sleep 1000' } } });
    const end = await workspace.run('up', '--once');
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /page of web: http:\/\/localhost:\d+\/ ✓ 200, 5 bytes/);
    assert.match(end.stdout, /web +● ready/);
    assert.match(end.stdout, /Nothing is left: 2 trees, \d+ processes confirmed gone\.\n$/);
    assert.equal((await workspace.status()).supervisor, null);
  });

  it('--once exits 1 when a page is not there', async () => {
    workspace.configure({ services: { web: page({ env: { ANSWER: '500' } }) } });
    const end = await workspace.run('up', '--once');
    assert.equal(end.code, 1);
    assert.match(end.stdout, /✗ status 500, not 200/);
    assert.match(end.stdout, /Nothing is left/);
  });

  it('exits 78 on a wrong configuration, and starts nothing', async () => {
    workspace.write('coppice.json', '{ "services": { "web": { "comand": "sleep 1" } } }');
    const end = await workspace.run('up', '--detach');
    assert.equal(end.code, 78);
    assert.match(end.stderr, /coppice\.json:1:26: error: /);
    assert.ok(!existsSync(join(workspace.root, '.coppice')));
  });
});
