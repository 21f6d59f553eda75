import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readExitRecord } from '../../../server/process/exitRecord.ts';
import { identify, liveness } from '../../../server/process/identity.ts';
import type { Keeper } from '../../../server/process/keeper.ts';
import { launch } from '../../../server/process/launch.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { endStartedTrees, launched, printed, requestFor, untilGone } from '../../support/trees.ts';

const path = fileURLToPath(new URL('../../../server/process/platform/posix/keeper.sh', import.meta.url));
const shell: { keeper: Keeper } = { keeper: { kind: 'shell', path } };
const none: { keeper: Keeper } = { keeper: { kind: 'none' } };
const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

describe('a tree under the shell keeper', () => {
  afterEach(endStartedTrees);
  after(removeTemporaryFolders);

  for (const code of [0, 1, 75, 127, 255]) {
    it(`gives exit code ${code} and records it`, async () => {
      const request = requestFor(sh(`exit ${code}`));
      const tree = await launched(request, shell);
      assert.deepEqual(await tree.exited, { code, signal: null });
      const record = readExitRecord(request.exitRecordPath);
      assert.ok(record !== null && record !== 'corrupt');
      assert.deepEqual([record.pid, record.code, record.witness], [tree.identity.leader.pid, code, 'keeper']);
    });
  }

  it('gives the signal that ended the command', async () => {
    const tree = await launched(requestFor(sh('kill -TERM $$')), shell);
    assert.deepEqual(await tree.exited, { code: null, signal: 'SIGTERM' });
  });

  it('gives the signal when it was sent to the group, which the keeper shares', async () => {
    const request = requestFor(sh('echo running; sleep 60'));
    const tree = await launched(request, shell);
    await printed(request, 'running');
    process.kill(-tree.identity.group, 'SIGTERM');
    assert.deepEqual(await tree.exited, { code: null, signal: 'SIGTERM' });
  });

  it('lets the command end its own way upon a signal that it handles', async () => {
    const request = requestFor(sh('trap "exit 9" TERM; echo running; while :; do sleep 0.02; done'));
    const tree = await launched(request, shell);
    await printed(request, 'running');
    process.kill(-tree.identity.group, 'SIGTERM');
    assert.deepEqual(await tree.exited, { code: 9, signal: null });
  });

  it('settles as killed, with a record by the supervisor, when the group is killed', async () => {
    const request = requestFor(sh('sleep 60'));
    const tree = await launched(request, shell);
    process.kill(-tree.identity.group, 'SIGKILL');
    assert.deepEqual(await tree.exited, { code: null, signal: 'SIGKILL' });
    const record = readExitRecord(request.exitRecordPath);
    assert.ok(record !== null && record !== 'corrupt');
    assert.equal(record.witness, 'supervisor');
  });

  it('is led by the keeper itself', async () => {
    const { leader, keeper, group } = (await launched(requestFor(sh('sleep 60')), shell)).identity;
    assert.equal(keeper, null);
    assert.deepEqual(leader, identify(leader.pid));
    assert.equal(group, leader.pid);
  });

  it('has an input that is at its end with stdin ignore, and open with stdin hold', async () => {
    const reader = sh('echo running; read line; exit 5');
    assert.deepEqual(await (await launched(requestFor(reader), shell)).exited, { code: 5, signal: null });
    const request = requestFor(reader, { stdin: 'hold' });
    const tree = await launched(request, shell);
    await printed(request, 'running');
    assert.equal(liveness(tree.identity.leader), 'alive');
    assert.deepEqual(readdirSync(request.cwd).sort(), ['out.log']);
  });

  it('hands no descriptor but 0 to 2 to the command', async () => {
    const request = requestFor(['/bin/sleep', '60'], { stdin: 'hold' });
    const tree = await launched(request, shell);
    const command = await childOf(tree.identity.leader.pid);
    assert.deepEqual(
      readdirSync(`/proc/${command}/fd`)
        .filter((fd) => Number(fd) <= 9)
        .sort(),
      ['0', '1', '2'],
    );
  });

  it('gives arguments unchanged', async () => {
    const words = ['a b', '$HOME', '"', '*', ''];
    const request = requestFor(['/usr/bin/printf', '%s|', ...words]);
    await (await launched(request, shell)).exited;
    assert.equal(readFileSync(request.outputPath, 'utf8'), words.map((word) => `${word}|`).join(''));
  });

  it('tells of the end of the command while a background child lives', async () => {
    const tree = await launched(requestFor(sh('sleep 60 & exit 4')), shell);
    assert.deepEqual(await tree.exited, { code: 4, signal: null });
    await untilGone(tree.identity.leader);
  });

  it('is not started for a program that does not exist', async () => {
    const result = await launch(requestFor(['/no/such/program']), shell);
    assert.ok(!result.ok && result.failure.reason === 'command_not_found');
  });
});

describe('a tree without a keeper', () => {
  afterEach(endStartedTrees);
  after(removeTemporaryFolders);

  it('has its exit recorded by the supervisor', async () => {
    const request = requestFor(sh('exit 6'));
    const tree = await launched(request, none);
    assert.deepEqual(await tree.exited, { code: 6, signal: null });
    const record = readExitRecord(request.exitRecordPath);
    assert.ok(record !== null && record !== 'corrupt');
    assert.deepEqual([record.pid, record.code, record.witness], [tree.identity.leader.pid, 6, 'supervisor']);
  });
});

async function childOf(pid: number): Promise<number> {
  const { until } = await import('../../support/until.ts');
  return until(
    'the command',
    () =>
      readProcessTable()
        .childrenOf(pid)
        .find((row) => row.name === 'sleep')?.pid,
  );
}
