import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { rotateOutput } from '../../../server/process/output/index.ts';
import { Stage } from '../../support/stage.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('the logs of real services', function () {
  this.timeout(40_000);
  let stage: Stage;

  before(async () => {
    stage = await Stage.open('logs', (director) => ({
      services: {
        counter: { command: director.command('counter'), enabled: false, ready: { log: '^0:' } },
        one: { command: director.command('one'), enabled: false, ready: { log: '^up$' } },
        second: { command: director.command('second'), enabled: false, ready: { log: '^up$' } },
      },
    }));
  });

  after(async () => {
    await stage.close();
    removeTemporaryFolders();
  });

  it('are followed over two rotations and a restart, and of 200 000 lines none is lost or told twice', async () => {
    const log = join(stage.stateDir, 'logs/counter.log');
    const expected: string[] = [];
    let position = 0;
    const count = async (start: number, to: number): Promise<void> => {
      const from = position;
      for (let number = from; number < to; number += 1) expected.push(`${number}:${'x'.repeat(number % 97)}`);
      position = to;
      await (await stage.director.start('counter', start)).tell({ count: { from, to } });
    };
    const rotate = async (): Promise<void> => {
      const result = await rotateOutput(log, { maxBytes: 1, keep: 2 });
      assert.ok(result.ok && result.rotated && result.lostAtLeast === 0, JSON.stringify(result));
    };
    await stage.up('counter');
    await count(1, 1);
    const following = stage.workspace.begin(['logs', 'counter', '-f', '-n', '0']);
    await until('a follower', async () => {
      await count(1, position + 1);
      return following.stdout !== '';
    });
    await count(1, 60_000);
    await rotate();
    await count(1, 110_000);
    await stage.request('restart', { names: ['counter'] });
    await count(2, 150_000);
    await rotate();
    await count(2, 200_000);
    const last = `\n${expected.at(-1)}\n`;
    await until('the last line', () => following.stdout.endsWith(last), { timeoutMs: 20_000 });
    following.child.kill('SIGINT');
    assert.equal((await following.ended).code, 130);
    const seen = following.stdout.slice(0, -1).split('\n');
    const first = Number(seen[0]?.split(':')[0]);
    const wanted = expected.slice(first);
    const wrong = wanted.findIndex((line, index) => line !== seen[index]);
    assert.deepEqual([wrong, seen.length], [-1, wanted.length], `after ${seen[wrong - 1]} came ${seen[wrong]}`);
  });

  it('end at the end without -f, and `-n` says how many lines', async () => {
    const end = await stage.run('logs', 'counter', '-n', '3');
    const numbers = end.stdout.split('\n').map((line) => line.split(':')[0]);
    assert.deepEqual(numbers, ['199997', '199998', '199999', '']);
  });

  it('of several names are told apart by a prefix', async () => {
    for (const name of ['one', 'second']) stage.director.plan(name, () => [{ print: `from ${name}` }, { print: 'up' }]);
    await stage.up('one', 'second');
    await Promise.all(['one', 'second'].map((name) => stage.until(name, 'ready')));
    const { stdout, code } = await stage.run('logs', 'one', 'second', '-n', '2');
    const lines = stdout.trimEnd().split('\n');
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map((line) => /^(one|second) *\S? *(from \1|up)$/.test(line)),
      [true, true, true, true],
      stdout,
    );
  });

  it('of an unknown name are refused with a suggestion', async () => {
    const { code, stderr } = await stage.run('logs', 'countr');
    assert.deepEqual([code, /counter/.test(stderr)], [64, true]);
  });

  it('are objects of one line each with --json', async () => {
    const { stdout } = await stage.run('logs', 'one', '-n', '2', '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; line?: string; text?: string });
    assert.deepEqual(
      lines.map((one) => [one.name, one.line ?? one.text]),
      [
        ['one', 'from one'],
        ['one', 'up'],
      ],
    );
  });
});
