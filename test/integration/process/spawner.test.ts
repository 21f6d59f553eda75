import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { readExitRecord } from '../../../server/process/exitRecord.ts';
import { liveness } from '../../../server/process/identity.ts';
import { findKeepers } from '../../../server/process/keeper.ts';
import { launch, warmUpLaunches } from '../../../server/process/launch.ts';
import { encodeRequest } from '../../../server/process/spawnerRequest.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import type { LaunchRequest } from '../../../server/process/types.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { endStartedTrees, launched, printed, requestFor, statusField, TEST_MARKER } from '../../support/trees.ts';
import { until } from '../../support/until.ts';

const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];
const native = findKeepers().find((keeper) => keeper.kind === 'native');

describe('the spawner', function () {
  before(function () {
    if (native === undefined) this.skip();
  });
  beforeEach(() => warmUpLaunches());
  afterEach(endStartedTrees);
  after(removeTemporaryFolders);
  this.timeout(30_000);

  it('is one process for fifty launches at once, each with a keeper, identity and exit code of its own', async () => {
    const trees = await Promise.all(
      Array.from({ length: 50 }, (_, index) => launched(requestFor(sh(`exit ${index}`)))),
    );
    assert.equal(spawnersHere().length, 1);
    assert.equal(new Set(trees.map((tree) => tree.identity.keeper?.pid)).size, 50);
    const ends = await Promise.all(trees.map((tree) => tree.exited));
    assert.deepEqual(
      ends.map((end) => end.code),
      Array.from({ length: 50 }, (_, index) => index),
    );
  });

  it('is the parent of keepers and not of what they keep, and reaps them', async () => {
    const tree = await launched(requestFor(sh('sleep 0.1')));
    const keeper = tree.identity.keeper!;
    assert.equal(readProcessTable().rows.get(keeper.pid)?.parent, spawnerPid());
    await tree.exited;
    await until('it is reaped', () => liveness(keeper) === 'gone');
  });

  it('holds nothing of ours: no descriptor, no environment, no session; and takes no signal', () => {
    const pid = spawnerPid();
    assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'coppice-spawner');
    assert.equal(readdirSync(`/proc/${pid}/fd`).length, 5);
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /[^\0]/);
    assert.equal(readProcessTable().rows.get(pid)?.session, pid);
    assert.equal(statusField(pid, 'SigBlk').toLowerCase(), 'fffffffffffbfeff');
  });

  it('gives the children of a keeper that was killed to the system, not to itself', async () => {
    const tree = await launched(requestFor(sh('sleep 60')));
    process.kill(tree.identity.keeper!.pid, 'SIGKILL');
    assert.deepEqual(await tree.exited, { code: null, signal: 'SIGKILL' });
    assert.notEqual(readProcessTable().rows.get(tree.identity.leader.pid)?.parent, spawnerPid());
  });

  it('is as little in sight of pkill -f below a keeper as the command is', async () => {
    const { keeper } = (await launched(requestFor(sh('sleep 60')))).identity;
    assert.doesNotMatch(readFileSync(`/proc/${keeper!.pid}/cmdline`, 'latin1'), /--spawner|sleep/);
  });

  it('takes an environment of 900 KB', async () => {
    const env = bigEnvironment(9);
    const request = requestFor(sh(`printf %s "$BIG_8" | wc -c`), { env });
    const tree = await launched(request);
    assert.equal(parentName(tree.identity.keeper!.pid), 'coppice-spawner');
    assert.deepEqual(await tree.exited, { code: 0, signal: null });
    assert.equal(readFileSync(request.outputPath, 'utf8').trim(), '100000');
  });

  it('is not asked for what is too long for it, which is launched all the same', async () => {
    const tree = await launched(requestFor(sh('sleep 60'), { env: bigEnvironment(15) }));
    assert.notEqual(parentName(tree.identity.keeper!.pid), 'coppice-spawner');
  });

  it('passes on any bytes of text, and refuses a NUL in the environment', async () => {
    const env = { PATH: '/usr/bin:/bin', COPPICE_TREE: TEST_MARKER, ODD: 'ä\n=\u{1f333}\u0001', EMPTY: '' };
    const request = requestFor(sh('printf "%s|%s" "$ODD" "$EMPTY"'), { env });
    await (await launched(request)).exited;
    assert.equal(readFileSync(request.outputPath, 'utf8'), `${env.ODD}|`);
    const result = await launch(requestFor(['/bin/true'], { env: { A: 'a\0B=b' } }));
    assert.ok(!result.ok && result.failure.reason === 'spawn_error');
  });

  it('leaks no descriptor and keeps no process, here and there, over 500 launches (R34)', async () => {
    const request = requestFor(['/bin/true']);
    await (await launched(request)).exited;
    const count = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
    const spawner = spawnerPid();
    const before = [count(process.pid), count(spawner)];
    for (let round = 0; round < 50; round++) {
      const trees = await Promise.all(Array.from({ length: 10 }, () => launched(request)));
      await Promise.all(trees.map((tree) => tree.exited));
    }
    await until('keepers are gone', () => readProcessTable().childrenOf(spawner).length === 0);
    assert.equal(spawnerPid(), spawner);
    await until('the handles are closed', () => count(process.pid) <= before[0]! && count(spawner) <= before[1]!);
  });

  describe('that is killed', () => {
    it('takes no tree with it, leaves no exit code unknown, and is replaced at the next launch', async () => {
      const gated = requestFor(sh('mkfifo gate; echo running; read line < gate; exit 21'));
      const tree = await launched(gated);
      await printed(gated, 'running');
      const first = spawnerPid();
      process.kill(first, 'SIGKILL');
      const next = await launched(requestFor(sh('exit 3')));
      assert.deepEqual(await next.exited, { code: 3, signal: null });
      assert.notEqual(spawnerPid(), first);
      assert.equal(liveness(tree.identity.leader), 'alive');
      spawn('/bin/sh', ['-c', 'echo go > gate'], { cwd: gated.cwd, stdio: 'ignore' });
      assert.deepEqual(await tree.exited, { code: 21, signal: null });
      assert.equal((readExitRecord(gated.exitRecordPath) as { witness: string }).witness, 'keeper');
    });

    for (const delay of [0, 1, 3, 6, 10]) {
      it(`in the midst of fifty launches, after ${delay} ms, starts each of them exactly once`, async () => {
        const spawner = spawnerPid();
        const requests = Array.from({ length: 50 }, (_, index) => requestFor(sh(`echo once; exit ${index}`)));
        const launches = requests.map((request) => launched(request));
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        process.kill(spawner, 'SIGKILL');
        const trees = await Promise.all(launches);
        const ends = await Promise.all(trees.map((tree) => tree.exited));
        assert.deepEqual(
          ends.map((end) => end.code),
          requests.map((_, index) => index),
        );
        for (const request of requests) assert.equal(readFileSync(request.outputPath, 'utf8'), 'once\n');
      });
    }

    it('does not make the end of a tree hang whose keeper and leader are killed after it', async () => {
      const tree = await launched(requestFor(sh('sleep 60')));
      process.kill(spawnerPid(), 'SIGKILL');
      await until('it is gone', () => spawnersHere().length === 0);
      process.kill(tree.identity.keeper!.pid, 'SIGKILL');
      process.kill(tree.identity.leader.pid, 'SIGKILL');
      const alive = setInterval(() => {}, 1000);
      await tree.exited;
      clearInterval(alive);
    });
  });

  it('that was stopped makes no launch wait without end', async () => {
    const spawner = spawnerPid();
    process.kill(spawner, 'SIGSTOP');
    const tree = await launched(requestFor(sh('exit 4')));
    assert.deepEqual(await tree.exited, { code: 4, signal: null });
    assert.notEqual(spawnerPid(), spawner);
  });

  describe('spoken to by hand', () => {
    const children: ChildProcess[] = [];
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    function start(): { child: ChildProcess; channel: Socket } {
      const path = native?.kind === 'native' ? native.path : '';
      const child = spawn(path, ['--spawner'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true });
      children.push(child);
      const channel = child.stdio[3] as Socket;
      channel.setEncoding('latin1').on('error', () => {});
      return { child, channel };
    }

    const good = (request: LaunchRequest): Buffer => encodeRequest(7, request)!;
    const bent =
      (change: (bytes: Buffer) => void): ((request: LaunchRequest) => Buffer) =>
      (request) => {
        const bytes = good(request);
        change(bytes);
        return bytes;
      };
    const garbage: readonly [string, (request: LaunchRequest) => Buffer][] = [
      ['text', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      ['a length of nothing', () => Buffer.alloc(64)],
      ['a length of 4 GB', bent((bytes) => bytes.writeUInt32LE(0xffff_ffff, 0))],
      ['no number', bent((bytes) => bytes.writeUInt32LE(0, 4))],
      ['an unknown mode', bent((bytes) => bytes.writeUInt32LE(2, 8))],
      ['a signal that there is not', bent((bytes) => bytes.writeUInt32LE(65, 12))],
      ['no arguments', bent((bytes) => bytes.writeUInt32LE(0, 20))],
      ['fewer texts than counted', bent((bytes) => bytes.writeUInt32LE(9, 20))],
      ['more texts than counted', bent((bytes) => bytes.writeUInt32LE(1, 20))],
      ['counts that overflow when added', bent((bytes) => bytes.writeUInt32LE(0xffff_fffe, 24))],
      ['a last text without its end', bent((bytes) => bytes.writeUInt8(65, bytes.length - 1))],
    ];
    for (const [what, make] of garbage) {
      it(`ends, and starts nothing, upon ${what}`, async () => {
        const request = requestFor(sh('echo ran'));
        const { child, channel } = start();
        channel.resume().write(make(request));
        assert.deepEqual(await once(child, 'exit'), [65, null]);
        assert.equal(existsSync(request.outputPath), false);
      });
    }

    for (const [what, change, said] of [
      ['a folder', { cwd: '/no/such/folder' }, '7 error cwd 2\n7 ended 127 -\n'],
      ['an output', { outputPath: '/no/such/folder/out.log' }, '7 error output 2\n7 ended 127 -\n'],
      ['a program', { argv: ['/no/such/program'] }, '7 error exec 2\n7 ended 127 -\n'],
    ] as const) {
      it(`tells of ${what} that vanished since it was checked`, async () => {
        const { channel } = start();
        let text = '';
        channel.on('data', (more) => {
          text += String(more);
        });
        channel.write(good({ ...requestFor(['/bin/true']), ...change }));
        await until('the answer', () => text === `ready\n${said}`);
      });
    }

    it('starts nothing upon half a request whose sender is gone', async () => {
      const request = requestFor(sh('echo ran'));
      const { child, channel } = start();
      const bytes = good(request);
      channel.write(bytes.subarray(0, bytes.length - 3), () => channel.destroy());
      const [code] = await once(child, 'exit');
      assert.ok(code === 0 || code === 65);
      assert.equal(existsSync(request.outputPath), false);
    });

    it('loses no report to a launcher that did not read for a while', async () => {
      const { channel } = start();
      await once(channel, 'data');
      channel.pause();
      const total = 2000;
      const request = requestFor(['/bin/true']);
      for (let number = 1; number <= total; number++) {
        const exitRecordPath = `${request.exitRecordPath}.${number}`;
        channel.write(encodeRequest(number, { ...request, exitRecordPath })!);
      }
      const folder = request.cwd;
      const records = () => readdirSync(folder).filter((name) => /^exit\.json\.\d+$/.test(name)).length;
      let before = -1;
      await until(
        'no more is begun',
        () => {
          const [now, earlier] = [records(), before];
          before = now;
          return now > 50 && now === earlier;
        },
        { intervalMs: 300 },
      );
      assert.ok(records() < total, 'the socket never was full');
      let text = '';
      channel.on('data', (more) => {
        text += String(more);
      });
      channel.resume();
      await until('all have ended', () => text.match(/ ended 0 -\n/g)?.length === total, { timeoutMs: 20_000 });
      for (const word of ['started', 'exited 0 -'])
        assert.equal(text.match(new RegExp(` ${word}`, 'g'))?.length, total);
    });
  });
});

function spawnersHere(): number[] {
  return readProcessTable()
    .childrenOf(process.pid)
    .filter((row) => row.name === 'coppice-spawner' && row.state !== 'Z')
    .map((row) => row.pid);
}

function spawnerPid(): number {
  const [pid] = spawnersHere();
  assert.ok(pid !== undefined, 'there is no spawner');
  return pid;
}

function parentName(pid: number): string {
  const { rows } = readProcessTable();
  return rows.get(rows.get(pid)?.parent ?? 0)?.name ?? '';
}

function bigEnvironment(hundreds: number): Record<string, string> {
  const entries = Array.from({ length: hundreds }, (_, index) => [`BIG_${index}`, 'x'.repeat(100_000)]);
  return { PATH: '/usr/bin:/bin', COPPICE_TREE: TEST_MARKER, ...Object.fromEntries(entries) };
}
