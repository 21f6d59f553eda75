import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readExitRecord } from '../../../server/process/exitRecord.ts';
import { bootId, identify, liveness } from '../../../server/process/identity.ts';
import { findKeepers } from '../../../server/process/keeper.ts';
import { type LaunchOptions, launch } from '../../../server/process/launch.ts';
import { readEnvironmentVariable, readProcessTable } from '../../../server/process/table.ts';
import type { LaunchedTree, LaunchFailure, LaunchRequest } from '../../../server/process/types.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import {
  endStartedTrees,
  launched as launchedBy,
  printed,
  requestFor,
  statusField,
  TEST_MARKER,
  untilGone,
} from '../../support/trees.ts';
import { until } from '../../support/until.ts';

const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

const WAYS: readonly [string, LaunchOptions][] = [
  ['through the spawner', {}],
  ['by a fork of its own', { keepers: findKeepers() }],
];

for (const [way, options] of WAYS)
  describe(`launch ${way}`, () => {
    const launched = (request: LaunchRequest): Promise<LaunchedTree> => launchedBy(request, options);
    const failureOf = (request: LaunchRequest): Promise<LaunchFailure> => failureBy(request, options);

    afterEach(endStartedTrees);
    after(removeTemporaryFolders);

    describe('exit status', () => {
      for (const code of [0, 1, 2, 75, 126, 127, 128, 129, 137, 200, 255]) {
        it(`gives exit code ${code} exactly as it was`, async () => {
          const tree = await launched(requestFor(sh(`exit ${code}`)));
          assert.deepEqual(await tree.exited, { code, signal: null });
        });
      }

      for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGSEGV', 'SIGABRT', 'SIGPIPE', 'SIGUSR2'] as const) {
        it(`gives the signal ${signal} that ended the leader`, async () => {
          const tree = await launched(requestFor(sh(`kill -${signal.slice(3)} $$; sleep 60`)));
          assert.deepEqual(await tree.exited, { code: null, signal });
        });
      }

      it('writes the same into the exit record, with pid and witness', async () => {
        const request = requestFor(sh('exit 7'));
        const before = Date.now();
        const tree = await launched(request);
        await tree.exited;
        const record = readExitRecord(request.exitRecordPath);
        assert.ok(record !== null && record !== 'corrupt');
        const { at, ...rest } = record;
        assert.deepEqual(rest, { pid: tree.identity.leader.pid, code: 7, signal: null, witness: 'keeper' });
        assert.ok(at >= before && at <= Date.now());
      });

      it('replaces the record of an earlier start at the same path', async () => {
        const request = requestFor(sh('exit 3'));
        await (await launched(request)).exited;
        const second = await launched({ ...request, argv: sh('sleep 60') });
        assert.equal(readExitRecord(request.exitRecordPath), null);
        assert.equal(liveness(second.identity.leader), 'alive');
      });

      it('reaches us although the folder of the record was deleted, which is not made again', async () => {
        const request = requestFor(sh('echo running; sleep 60'));
        const exitRecordPath = join(request.cwd, 'records', 'exit.json');
        mkdirSync(dirname(exitRecordPath));
        const tree = await launched({ ...request, exitRecordPath });
        await printed(request, 'running');
        rmSync(dirname(exitRecordPath), { recursive: true });
        process.kill(-tree.identity.group, 'SIGTERM');
        assert.deepEqual(await tree.exited, { code: null, signal: 'SIGTERM' });
        await untilGone(tree.identity.keeper!);
        assert.equal(existsSync(dirname(exitRecordPath)), false);
      });

      it('tells of the end of the leader at once while a background child holds its output (R47)', async () => {
        const request = requestFor(sh('sleep 60 & echo started; exit 4'));
        const tree = await launched(request);
        assert.deepEqual(await tree.exited, { code: 4, signal: null });
        assert.equal(liveness(tree.identity.keeper!), 'alive');
      });

      it('settles for a leader that ended before it could be looked at', async () => {
        const trees = await Promise.all(Array.from({ length: 20 }, () => launched(requestFor(['/bin/true']))));
        assert.ok(trees.every((tree) => /^\d+$/.test(tree.identity.leader.startTime)));
        assert.deepEqual(
          await Promise.all(trees.map((tree) => tree.exited)),
          Array(20).fill({ code: 0, signal: null }),
        );
      });
    });

    describe('the tree', () => {
      it('has a leader of a group and session of its own, below a keeper that is not in them', async () => {
        const tree = await launched(requestFor(sh('sleep 60')));
        const { leader, keeper, group, session } = tree.identity;
        const rows = readProcessTable().rows;
        const leaderRow = rows.get(leader.pid)!;
        assert.deepEqual([leaderRow.group, leaderRow.session, leaderRow.parent], [leader.pid, leader.pid, keeper!.pid]);
        assert.deepEqual([group, session], [leader.pid, leader.pid]);
        const keeperRow = rows.get(keeper!.pid)!;
        assert.notEqual(keeperRow.group, leader.pid);
        assert.notEqual(keeperRow.session, leader.pid);
      });

      it('is known by the identities that the kernel gives', async () => {
        const { leader, keeper } = (await launched(requestFor(sh('sleep 60')))).identity;
        assert.deepEqual(leader, identify(leader.pid));
        assert.deepEqual(keeper, identify(keeper!.pid));
        assert.equal(leader.bootId, bootId());
      });

      it('has the marker in the environment of its members and not in that of the keeper', async () => {
        const { leader, keeper } = (await launched(requestFor(sh('sleep 60')))).identity;
        assert.equal(readEnvironmentVariable(leader.pid, 'COPPICE_TREE'), TEST_MARKER);
        assert.doesNotMatch(readFileSync(`/proc/${keeper!.pid}/environ`, 'latin1'), /[^\0]/);
      });

      it('does not show the command in the command line of the keeper, where pkill -f would find it', async () => {
        const { keeper } = (await launched(requestFor(sh('sleep 60')))).identity;
        assert.doesNotMatch(readFileSync(`/proc/${keeper!.pid}/cmdline`, 'latin1'), /sleep/);
        assert.equal(readFileSync(`/proc/${keeper!.pid}/comm`, 'utf8').trim(), 'coppice-keeper');
      });

      it('keeps a daemon that left group, session and environment below its keeper (R39)', async () => {
        const request = requestFor(sh('env -i setsid /bin/sh -c "(sleep 61 & echo daemon \\$!)" ; exit 0'));
        const tree = await launched(request);
        const pid = Number(/daemon (\d+)/.exec(await printed(request, 'daemon'))![1]);
        await tree.exited;
        await until(
          'adoption by the keeper',
          () => readProcessTable().rows.get(pid)?.parent === tree.identity.keeper!.pid,
        );
      });

      it('has a keeper that ends once the last descendant did', async () => {
        const request = requestFor(sh('sleep 0.2 & exit 0'));
        const tree = await launched(request);
        await tree.exited;
        await untilGone(tree.identity.keeper!);
        const left = [...readProcessTable().rows.values()].filter((row) => row.session === tree.identity.session);
        assert.deepEqual(left, []);
      });

      it('has a keeper that no signal to the group and none of the gentle ones ends', async () => {
        const tree = await launched(requestFor(sh('sleep 60')));
        const keeper = tree.identity.keeper!;
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGPIPE'] as const)
          process.kill(keeper.pid, signal);
        process.kill(-tree.identity.group, 'SIGKILL');
        assert.deepEqual(await tree.exited, { code: null, signal: 'SIGKILL' });
        await untilGone(keeper);
      });

      it('settles as killed, with a record by the supervisor, when the keeper is killed', async () => {
        const request = requestFor(sh('sleep 60'));
        const tree = await launched(request);
        process.kill(tree.identity.keeper!.pid, 'SIGKILL');
        assert.deepEqual(await tree.exited, { code: null, signal: 'SIGKILL' });
        const record = readExitRecord(request.exitRecordPath);
        assert.ok(record !== null && record !== 'corrupt');
        assert.equal(record.witness, 'supervisor');
      });
    });

    describe('what the child inherits', () => {
      it('are descriptors 0 to 2 and no other', async () => {
        // A program that is still being loaded has its libraries open.
        const request = requestFor(sh('echo loaded; sleep 60; exit'));
        const { leader, keeper } = (await launched(request)).identity;
        await printed(request, 'loaded');
        assert.deepEqual(readdirSync(`/proc/${leader.pid}/fd`).sort(), ['0', '1', '2']);
        assert.deepEqual(readdirSync(`/proc/${keeper!.pid}/fd`), ['3']);
      });

      it('are default signal dispositions and an empty signal mask', async () => {
        const { leader, keeper } = (await launched(requestFor(['/bin/sleep', '60']))).identity;
        const fields = ['SigBlk', 'SigIgn', 'SigCgt'].map((field) =>
          Number.parseInt(statusField(leader.pid, field), 16),
        );
        assert.deepEqual(fields, [0, 0, 0]);
        assert.notEqual(Number.parseInt(statusField(keeper!.pid, 'SigBlk'), 16), 0);
      });

      it('is an input that is at its end with stdin ignore (R44)', async () => {
        const tree = await launched(requestFor(sh('read line; exit $?')));
        assert.deepEqual(await tree.exited, { code: 1, signal: null });
      });

      it('is an input that stays open and silent with stdin hold', async () => {
        const request = requestFor(sh('echo waiting; read line; echo "end of input"'), { stdin: 'hold' });
        const tree = await launched(request);
        await printed(request, 'waiting');
        // A child that may read to the end would be done by the time that this one was started and ended.
        await (await launched(requestFor(sh('read line; exit $?')))).exited;
        assert.equal(liveness(tree.identity.leader), 'alive');
        assert.doesNotMatch(readFileSync(request.outputPath, 'utf8'), /end of input/);
      });

      it('is the environment of the request and nothing of ours', async () => {
        process.env.COPPICE_TEST_LEAK = 'leaked';
        const request = requestFor(['/usr/bin/env'], { env: { A: 'a b', COPPICE_TREE: TEST_MARKER } });
        await (await launched(request)).exited;
        delete process.env.COPPICE_TEST_LEAK;
        assert.deepEqual(readFileSync(request.outputPath, 'utf8').trim().split('\n').sort(), [
          'A=a b',
          `COPPICE_TREE=${TEST_MARKER}`,
        ]);
      });

      it('is a PWD that names its own folder', async () => {
        const request = requestFor(['/usr/bin/printenv', 'PWD'], { env: { PWD: '/elsewhere' } });
        await (await launched(request)).exited;
        assert.equal(readFileSync(request.outputPath, 'utf8').trim(), request.cwd);
      });

      it('are arguments that no shell has touched', async () => {
        const words = ['a b', '$HOME', '"', "'", '*', '', 'ä\n'];
        const request = requestFor(['/usr/bin/printf', '%s|', ...words]);
        await (await launched(request)).exited;
        assert.equal(readFileSync(request.outputPath, 'utf8'), words.map((word) => `${word}|`).join(''));
      });
    });

    describe('output', () => {
      it('holds stdout and stderr in the order in which they were written', async () => {
        const request = requestFor(sh('for i in 1 2 3; do echo out$i; echo err$i >&2; done'));
        await (await launched(request)).exited;
        assert.equal(readFileSync(request.outputPath, 'utf8'), 'out1\nerr1\nout2\nerr2\nout3\nerr3\n');
      });

      it('is appended, and begins at the offset that the launch gives', async () => {
        const request = requestFor(sh('echo second'));
        writeFileSync(request.outputPath, 'first\n');
        const tree = await launched(request);
        await tree.exited;
        assert.equal(tree.outputOffset, 6);
        assert.equal(readFileSync(request.outputPath, 'utf8'), 'first\nsecond\n');
      });

      it('survives being cut off under a writer without a hole', async () => {
        const request = requestFor(sh('echo before; read line < "$GATE"; echo after'));
        const gate = join(request.cwd, 'gate');
        const fifo = await launched(requestFor(['/usr/bin/mkfifo', gate]));
        await fifo.exited;
        const tree = await launched({ ...request, env: { ...request.env, GATE: gate } });
        await printed(request, 'before');
        writeFileSync(request.outputPath, '');
        appendFileSync(gate, 'go\n');
        await tree.exited;
        assert.equal(readFileSync(request.outputPath, 'utf8'), 'after\n');
      });

      it('goes to a file and folder that only the user can read', async () => {
        const request = requestFor(['/bin/true']);
        const outputPath = join(request.cwd, 'logs', 'web.log');
        await (await launched({ ...request, outputPath })).exited;
        assert.equal(statSync(outputPath).mode & 0o777, 0o600);
        assert.equal(statSync(dirname(outputPath)).mode & 0o777, 0o700);
      });

      it('is not written through a symbolic link', async () => {
        const request = requestFor(['/bin/echo', 'text']);
        const target = join(request.cwd, 'target');
        writeFileSync(target, '');
        symlinkSync(target, request.outputPath);
        const failure = await failureOf(request);
        assert.equal(failure.reason, 'spawn_error');
        assert.equal(readFileSync(target, 'utf8'), '');
      });
    });

    describe('failures are values', () => {
      it('for a program that does not exist (R49)', async () => {
        const failure = await failureOf(requestFor(['/no/such/program']));
        assert.deepEqual(failure, {
          reason: 'command_not_found',
          command: '/no/such/program',
          searched: ['/no/such/program'],
        });
      });

      it('for a file without its execute bit', async () => {
        const program = programFile('#!/bin/sh\n', 0o644);
        const failure = await failureOf(requestFor([program]));
        assert.deepEqual(failure, {
          reason: 'not_executable',
          command: program,
          detail: 'permission denied (is its execute bit set?)',
        });
      });

      it('for a folder', async () => {
        const failure = await failureOf(requestFor(['/tmp']));
        assert.deepEqual(failure, { reason: 'not_executable', command: '/tmp', detail: 'is a folder' });
      });

      it('for a script whose interpreter does not exist', async () => {
        const program = programFile('#!/no/such/interpreter\n');
        const failure = await failureOf(requestFor([program]));
        assert.deepEqual(failure, {
          reason: 'not_executable',
          command: program,
          detail: 'the interpreter that it names does not exist',
        });
      });

      it('for a file that is no program', async () => {
        const failure = await failureOf(requestFor([programFile('just text\n')]));
        assert.equal(failure.reason, 'not_executable');
      });

      it('for arguments that are too long', async () => {
        const failure = await failureOf(requestFor(['/bin/true', 'x'.repeat(200 * 1024)]));
        assert.ok(failure.reason === 'spawn_error' && failure.code === 'E2BIG');
      });

      it('for an argument that cannot be passed on', async () => {
        const failure = await failureOf(requestFor(['/bin/true', 'a\0b']));
        assert.equal(failure.reason, 'spawn_error');
      });

      for (const [what, cwd, detail] of [
        ['that does not exist', '/no/such/folder', 'does not exist'],
        ['that is a file', '/etc/passwd', 'is not a folder'],
        ['that is relative', 'here', 'is not an absolute path'],
      ] as const) {
        it(`for a working directory ${what} (R50)`, async () => {
          const failure = await failureOf(requestFor(['/bin/true'], { cwd }));
          assert.deepEqual(failure, { reason: 'bad_cwd', cwd, detail });
        });
      }

      it('for want of file handles, however few are left', async () => {
        const request = requestFor(['/bin/true']);
        const { code, stdout } = spawnStarved(request, options);
        assert.equal(code, 0);
        const reasons = stdout.trim().split('\n');
        assert.ok(reasons.includes('resources'), stdout);
        assert.equal(reasons.at(-1), 'launched');
        assert.deepEqual([...new Set(reasons)].sort(), ['launched', 'resources'], stdout);
      });

      it('and leave no process and no exit record behind', async () => {
        const request = requestFor(['/no/such/program']);
        await failureOf(request);
        assert.equal(readExitRecord(request.exitRecordPath), null);
        await until('no child is left', () => {
          const children = readProcessTable().descendantsOf(process.pid);
          return children.every((row) => row.name !== 'coppice-keeper');
        });
      });
    });

    it('keeps no file handle of ours open for a tree that ended (R34)', async () => {
      await (await launched(requestFor(['/bin/true']))).exited;
      const count = () => readdirSync('/proc/self/fd').length;
      const before = count();
      for (let round = 0; round < 20; round++) await (await launched(requestFor(['/bin/true']))).exited;
      await until('the handles are closed', () => count() <= before);
    });
  });

async function failureBy(request: LaunchRequest, options: LaunchOptions): Promise<LaunchFailure> {
  const result = await launch(request, options);
  assert.ok(!result.ok, 'it was launched');
  return result.failure;
}

function spawnStarved(request: LaunchRequest, options: LaunchOptions): { code: number | null; stdout: string } {
  const program = fileURLToPath(new URL('../../support/programs/starved.ts', import.meta.url));
  const words = [
    '-c',
    'ulimit -n 64; exec "$@"',
    'sh',
    process.execPath,
    program,
    JSON.stringify(request),
    JSON.stringify(options),
  ];
  const { status, stdout } = spawnSync('/bin/sh', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return { code: status, stdout };
}

function programFile(text: string, mode = 0o755): string {
  const path = join(temporaryFolder('program'), 'program');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
