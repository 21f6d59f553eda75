import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { marked, TestWorkspace } from '../../support/workspace.ts';

describe('coppice exec', () => {
  let workspace: TestWorkspace;
  before(() => {
    workspace = new TestWorkspace('exec');
    workspace.configure({ services: {} });
  });
  after(async () => {
    await workspace.close();
    removeTemporaryFolders();
  });

  for (const [script, code] of [
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -9 $$', 137],
    ['kill -15 $$', 143],
  ] as const) {
    it(`exits ${code} for a command that ends with \`${script}\``, async () => {
      assert.equal((await workspace.run('exec', '--', 'sh', '-c', script)).code, code);
    });
  }

  it('shows every byte of the output, in order', async () => {
    const script = 'for (let i = 0; i < 50000; i += 1) console.log("line " + i)';
    const end = await workspace.run('exec', '--', 'node', '-e', script);
    assert.equal(end.code, 0);
    assert.equal(end.stdout, Array.from({ length: 50_000 }, (_, index) => `line ${index}\n`).join(''));
  });

  it('leaves nothing of its tree behind when it ends', async () => {
    const end = await workspace.run('exec', '--', 'sh', '-c', 'setsid sleep 1000 & sleep 1000 & echo $!');
    assert.equal(end.code, 0);
    const { workspace: place } = await workspace.status();
    assert.deepEqual(marked(`${place.id}/exec`), []);
  });

  it('stops the whole tree on Ctrl-C, and proves it', async () => {
    const running = workspace.begin(['exec', '--', 'sh', '-c', 'sleep 1000 & echo started; wait']);
    await until('the command', () => running.stdout.includes('started'));
    running.child.kill('SIGINT');
    const end = await running.ended;
    assert.equal(end.code, 130);
    assert.match(end.stderr, /Nothing is left: 1 tree, \d+ processes confirmed gone\./);
    const { workspace: place } = await workspace.status();
    assert.deepEqual(marked(`${place.id}/exec`), []);
  });

  it('ends its tree when its own process is killed', async () => {
    const running = workspace.begin(['exec', '--', 'sh', '-c', 'echo started; sleep 1000']);
    await until('the command', () => running.stdout.includes('started'));
    const { workspace: place } = await workspace.status();
    running.child.kill('SIGKILL');
    await until('the tree gone', () => marked(`${place.id}/exec`).length === 0);
  });

  it('leaves a command of a session to that session, until it is reaped', async () => {
    const running = workspace.begin(['exec', '--session', 'one', '--', 'sh', '-c', 'echo started; sleep 1000']);
    await until('the command', () => running.stdout.includes('started'));
    const { workspace: place } = await workspace.status();
    running.child.kill('SIGKILL');
    await running.ended;
    assert.equal((await workspace.run('reap', '--session', 'two')).stdout, 'Nothing is left: nothing was running.\n');
    assert.ok(marked(`${place.id}/exec`).length > 0);
    const end = await workspace.run('reap', '--session', 'one');
    assert.equal(end.code, 0);
    assert.match(end.stdout, /Nothing is left: 1 tree, \d process/);
    assert.deepEqual(marked(`${place.id}/exec`), []);
  });

  it('names a command that cannot be found, and where it was looked for', async () => {
    const end = await workspace.run('exec', '--', 'no-such-command');
    assert.equal(end.code, 127);
    assert.match(end.stderr, /command not found: no-such-command \(looked in /);
  });

  it('gives the result as JSON, with the output among the messages', async () => {
    const end = await workspace.run('exec', '--json', '--', 'sh', '-c', 'echo out; exit 3');
    assert.equal(end.code, 3);
    const result = JSON.parse(end.stdout);
    assert.equal(result.code, 3);
    assert.equal(end.stderr, 'out\n');
    assert.equal(readFileSync(result.log, 'utf8'), 'out\n');
  });
});
