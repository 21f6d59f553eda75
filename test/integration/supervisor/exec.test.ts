import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../../server/process/identity.ts';
import type { ProcessIdentity } from '../../../server/process/types.ts';
import {
  closeWorkspaces,
  isAlive,
  openWorkspace,
  type SupervisedWorkspace,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('`coppice exec`', () => {
  let workspace: SupervisedWorkspace;

  before(() => {
    workspace = openWorkspace({ services: {} });
  });

  after(closeWorkspaces);

  /** A command that writes its pid and its child's, then stays. */
  async function staying(...options: string[]) {
    const file = join(workspace.root, `pids-${Math.random()}`);
    const script = `sleep 1000 & echo $$ $! > ${file}.tmp && mv ${file}.tmp ${file}; wait`;
    const command = workspace.begin(['exec', ...options, '--', 'sh', '-c', script]);
    const pids = await until('the command', () => existsSync(file) && readFileSync(file, 'utf8').trim().split(' '));
    const tree = pids.map((pid) => identify(Number(pid)) as ProcessIdentity);
    return { command, tree };
  }

  it('starts a supervisor where there is none', async () => {
    assert.equal((await workspace.run('exec', '--', 'true')).code, 0);
    assert.equal(isAlive(workspace.supervisor()), true);
  });

  it('passes the exit code on', async () => {
    assert.equal((await workspace.run('exec', '--', 'sh', '-c', 'exit 37')).code, 37);
  });

  it('exits 127 for a command that is not found, and names it and where it was looked for', async () => {
    const { code, stderr } = await workspace.run('exec', '--', 'no-such-program-here', 'x');
    assert.equal(code, 127);
    assert.match(stderr, /no-such-program-here/);
    assert.match(stderr, /PATH|looked/i);
  });

  it('exits 126 for one that may not be executed', async () => {
    const file = workspace.write('plain.txt', 'no program');
    assert.equal((await workspace.run('exec', '--', file)).code, 126);
  });

  it('exits 128 plus the number of the signal that ended the command', async () => {
    assert.equal((await workspace.run('exec', '--', 'sh', '-c', 'kill -KILL $$')).code, 137);
  });

  it('shows ten thousand lines, complete and in order', async () => {
    const { stdout } = await workspace.run('exec', '--', 'seq', '1', '10000');
    assert.equal(stdout, Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join(''));
  });

  it('shows what was printed without a line end', async () => {
    const { stdout } = await workspace.run('exec', '--', 'printf', 'no end');
    assert.equal(stdout, 'no end');
  });

  it('keeps bytes as they are, also those that are no text', async () => {
    const { code } = await workspace.run('exec', '--', 'sh', '-c', String.raw`printf '\377\000\200'`);
    assert.equal(code, 0);
    const record = workspace.events.length;
    assert.ok(record > 0);
  });

  it('gives the command an end of input at once', async () => {
    const { code, stdout } = await workspace.run('exec', '--', 'cat');
    assert.deepEqual([code, stdout], [0, '']);
  });

  it('runs in the folder of its caller, with his environment', async () => {
    workspace.write('inner/x', '');
    const command = workspace.begin(
      ['exec', '--cwd', join(workspace.root, 'inner'), '--', 'sh', '-c', 'echo $MINE; pwd'],
      {
        MINE: 'from the caller',
      },
    );
    const { stdout } = await command.ended;
    assert.deepEqual(stdout.split('\n').slice(0, 1), ['from the caller']);
  });

  it('leaves nothing of what the command started', async () => {
    const file = join(workspace.root, 'left.pid');
    await workspace.run('exec', '--', 'sh', '-c', `setsid sleep 1000 & echo $! > ${file}`);
    assert.equal(identify(Number(readFileSync(file, 'utf8'))), null);
  });

  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends the tree on ${name} and exits ${code}`, async () => {
      const { command, tree } = await staying();
      command.child.kill(name);
      assert.equal((await command.ended).code, code);
      await untilGone(tree, 0);
    });
  }

  it('has its tree ended when it is itself killed', async () => {
    const { command, tree } = await staying();
    command.child.kill('SIGKILL');
    await untilGone(tree);
    await until('an empty registry', () => workspace.records.length === 0);
  });

  it('with --session outlives its terminal, until `reap --session`, which says what it ended', async () => {
    const { command, tree } = await staying('--session', 's1');
    command.child.kill('SIGKILL');
    await command.ended;
    await workspace.run('exec', '--', 'true');
    assert.deepEqual(tree.map(isAlive), [true, true]);
    const end = await workspace.run('reap', '--session', 's1', '--json');
    const { trees } = JSON.parse(end.stdout) as {
      trees: { proof: { confirmed: { identity: ProcessIdentity }[]; survivors: unknown[] } }[];
    };
    const confirmed = trees[0]?.proof.confirmed.map((one) => one.identity.pid).sort();
    assert.deepEqual([end.code, confirmed, trees[0]?.proof.survivors], [0, tree.map((one) => one.pid).sort(), []]);
    await untilGone(tree, 0);
  });

  it('touches no other session when one is reaped (R99)', async () => {
    const { command, tree } = await staying('--session', 's2');
    const end = await workspace.run('reap', '--session', 's1');
    assert.deepEqual([end.code, tree.map(isAlive)], [0, [true, true]]);
    await workspace.run('reap', '--session', 's2');
    await command.ended;
    await untilGone(tree, 0);
  });

  it('leaves no tree on record', async () => {
    await workspace.run('exec', '--', 'true');
    assert.deepEqual(workspace.records, []);
  });
});
