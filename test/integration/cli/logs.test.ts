import assert from 'node:assert/strict';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { TestWorkspace } from '../../support/workspace.ts';

/** Prints numbered lines as fast as it can, then stays. */
const PRINTER = `let i = 0;
const print = () => {
  for (let n = 0; n < 500; n += 1) console.log('line ' + i++);
  if (i < 20000) setImmediate(print); else { console.log('done'); setInterval(() => {}, 1000); }
};
print();`;

describe('coppice logs', () => {
  let workspace: TestWorkspace;
  beforeEach(() => {
    workspace = new TestWorkspace('logs');
  });
  afterEach(() => workspace.close());
  after(removeTemporaryFolders);

  it('-f shows every line of a service once and in order, through a restart', async () => {
    workspace.configure({ services: { printer: { command: ['node', '-e', PRINTER] } } });
    const following = workspace.begin(['logs', 'printer', '-f']);
    await workspace.run('up', '--detach');
    await until('the end of the first', () => following.stdout.includes('done\n'), { timeoutMs: 20_000 });
    await workspace.run('restart', 'printer');
    await until('the end of the second', () => following.stdout.split('done\n').length === 3, { timeoutMs: 20_000 });
    following.child.kill('SIGINT');
    const end = await following.ended;
    assert.equal(end.code, 130);
    const once = `${Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('')}done\n`;
    assert.equal(end.stdout, once + once);
  });

  it('works with the supervisor down, and merges several with their names', async () => {
    workspace.configure({
      services: {
        one: { command: ['sh', '-c', 'echo a; echo b; sleep 1000'] },
        three: { command: ['sh', '-c', 'echo c; sleep 1000'] },
      },
    });
    await workspace.run('up', '--once');
    assert.equal((await workspace.run('logs', 'one', '-n', '1')).stdout, 'b\n');
    assert.equal((await workspace.run('logs')).stdout, 'one   | a\none   | b\nthree | c\n');
    assert.equal((await workspace.run('logs', 'three', '--json')).stdout, '{"name":"three","text":"c"}\n');
    const unknown = await workspace.run('logs', 'tree');
    assert.equal(unknown.code, 64);
    assert.match(unknown.stderr, /did you mean three\?/);
  });

  it('--since begins with the incarnation that ran at that time', async () => {
    workspace.configure({ services: { one: { command: ['sh', '-c', 'echo started; sleep 1000'] } } });
    await workspace.run('up', '--detach');
    await workspace.run('restart', 'one');
    const restarted = await workspace.untilService(
      'one',
      (service) => service.incarnation === 2 && service.state === 'ready',
    );
    const moment = new Date((restarted.startedAt ?? 0) + 500).toISOString();
    assert.equal((await workspace.run('logs', 'one')).stdout, 'started\nstarted\n');
    assert.equal((await workspace.run('logs', 'one', '--since', '1h')).stdout, 'started\nstarted\n');
    assert.match((await workspace.run('logs', 'one', '--since', moment)).stdout, /^(started\n)?$/);
  });

  it('ends quietly when its reader has had enough', async () => {
    workspace.configure({ services: { printer: { command: ['node', '-e', PRINTER] } } });
    await workspace.run('up', '--detach');
    const reading = workspace.begin(['logs', 'printer', '-f', '-n', '10000']);
    await until('something to read', () => reading.stdout !== '');
    reading.child.stdout?.destroy();
    await workspace.run('restart', 'printer');
    const end = await reading.ended;
    assert.deepEqual([end.code, end.stderr], [0, '']);
  });

  it('events tell what happened, in words and as JSON', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--once');
    const { stdout } = await workspace.run('events');
    assert.match(stdout, /one {2}started, pid \d+, incarnation 1/);
    assert.match(stdout, /one {2}ended with SIGTERM after .*: requested_stop/);
    const lines = (await workspace.run('events', '--json', '-n', '1000')).stdout.trim().split('\n');
    const numbers = lines.map((line) => JSON.parse(line).seq);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => numbers[0] + index),
    );
  });
});
