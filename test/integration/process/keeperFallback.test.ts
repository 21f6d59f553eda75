import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readExitRecord } from '../../../server/process/exitRecord.ts';
import { identify, liveness } from '../../../server/process/identity.ts';
import type { Keeper } from '../../../server/process/keeper.ts';
import { launch } from '../../../server/process/launch.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { endStartedTrees, launched, printed, requestFor, untilGone } from '../../support/trees.ts';
import { until } from '../../support/until.ts';

const path = fileURLToPath(new URL('../../../server/process/platform/posix/keeper.sh', import.meta.url));
const shell: { keepers: Keeper[] } = { keepers: [{ kind: 'shell', path }] };
const none: { keepers: Keeper[] } = { keepers: [{ kind: 'none' }] };
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

describe('a native keeper that cannot run', () => {
  afterEach(endStartedTrees);
  after(removeTemporaryFolders);

  for (const [what, text, mode] of [
    ['has no execute bit', '', 0o644],
    ['names an interpreter that is not there', '#!/no/such/interpreter\n', 0o755],
    ['is no program', 'exit 2\n', 0o755],
  ] as const) {
    it(`is replaced by the shell keeper when it ${what}, and the program runs once`, async () => {
      const broken = join(temporaryFolder('broken'), 'keeper');
      writeFileSync(broken, text);
      chmodSync(broken, mode);
      const request = requestFor(sh('echo once; exit 3'));
      const tree = await launched(request, { keepers: [{ kind: 'native', path: broken }, ...shell.keepers] });
      assert.deepEqual(await tree.exited, { code: 3, signal: null });
      assert.equal(tree.identity.keeper, null);
      assert.equal(readFileSync(request.outputPath, 'utf8'), 'once\n');
    });
  }

  it('is not replaced when it was killed, since the program may run by then', async () => {
    const killed = join(temporaryFolder('broken'), 'keeper');
    writeFileSync(killed, '#!/bin/sh\nkill -KILL $$\n', { mode: 0o755 });
    const request = requestFor(sh('echo ran'));
    const result = await launch(request, { keepers: [{ kind: 'native', path: killed }, ...shell.keepers] });
    assert.ok(!result.ok && result.failure.reason === 'spawn_error' && result.failure.code === 'KEEPER');
    assert.equal(readFileSync(request.outputPath, 'utf8'), '');
  });

  it('does not hide that the working directory is the culprit', async () => {
    const request = requestFor(['/bin/true'], { cwd: '/no/such/folder' });
    const result = await launch(request, { keepers: [{ kind: 'native', path: '/no/such/keeper' }, ...shell.keepers] });
    assert.ok(!result.ok && result.failure.reason === 'bad_cwd');
  });
});

async function childOf(pid: number): Promise<number> {
  return until(
    'the command',
    () =>
      readProcessTable()
        .childrenOf(pid)
        .find((row) => row.name === 'sleep')?.pid,
  );
}
