import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readExitRecord, watchExitRecord } from '../../../server/process/exitRecord.ts';
import { identify, liveness } from '../../../server/process/identity.ts';
import { findKeepers } from '../../../server/process/keeper.ts';
import type { LaunchOptions } from '../../../server/process/launch.ts';
import { readProcessTable } from '../../../server/process/table.ts';
import type { LaunchRequest, ProcessIdentity, TreeIdentity } from '../../../server/process/types.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { endStartedTrees, printed, remember, requestFor, untilGone } from '../../support/trees.ts';

const LAUNCHER = fileURLToPath(new URL('../../support/programs/launcher.ts', import.meta.url));
const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

const WAYS: readonly [string, LaunchOptions][] = [
  ['through the spawner', {}],
  ['by a fork of its own', { keepers: findKeepers() }],
];

for (const [way, options] of WAYS)
  describe(`a tree launched ${way}, whose launcher was killed with SIGKILL`, () => {
    const launchers: ChildProcess[] = [];
    let spawner: ProcessIdentity | null = null;

    afterEach(async () => {
      for (const launcher of launchers.splice(0)) launcher.kill('SIGKILL');
      await endStartedTrees();
    });
    after(removeTemporaryFolders);

    /** Launches from another process and kills that with SIGKILL as soon as the tree runs. */
    async function orphan(request: LaunchRequest): Promise<TreeIdentity> {
      const launcher = spawn(process.execPath, [LAUNCHER, JSON.stringify(request), JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      launchers.push(launcher);
      const [line] = (await once(launcher.stdout!, 'data')) as [Buffer];
      const identity = JSON.parse(line.toString()) as TreeIdentity;
      remember(identity);
      await printed(request, 'running');
      const left = readProcessTable()
        .descendantsOf(launcher.pid!)
        .filter((row) => row.name === 'coppice-spawner');
      spawner = left[0] === undefined ? null : identify(left[0].pid);
      launcher.kill('SIGKILL');
      await once(launcher, 'exit');
      return identity;
    }

    /** A request that says `running`, waits for `go`, and then runs `rest`. */
    function gated(rest: string, changes: Partial<LaunchRequest> = {}): { request: LaunchRequest; go: () => void } {
      const request = requestFor(sh(`mkfifo gate; exec 3<>gate; echo running; read line <&3; ${rest}`), changes);
      const go = (): void => {
        spawn('/bin/sh', ['-c', 'echo go > gate'], { cwd: request.cwd, stdio: 'ignore' });
      };
      return { request, go };
    }

    it('loses the spawner, which ends with its launcher', async () => {
      const { request } = gated('exit 0');
      const tree = await orphan(request);
      assert.equal(spawner !== null, options.keepers === undefined);
      if (spawner !== null) await untilGone(spawner);
      assert.equal(liveness(tree.keeper!), 'alive');
    });

    it('keeps running and logging', async () => {
      const { request, go } = gated('echo later; exec sleep 60');
      const tree = await orphan(request);
      go();
      await printed(request, 'later');
      assert.equal(liveness(tree.leader), 'alive');
    });

    for (const [what, script, status] of [
      ['exit code', 'exit 42', { code: 42, signal: null }],
      ['signal', 'kill -KILL $$', { code: null, signal: 'SIGKILL' }],
    ] as const) {
      it(`still gets its ${what} recorded by the keeper`, async () => {
        const { request, go } = gated(script);
        const tree = await orphan(request);
        go();
        await untilGone(tree.keeper!);
        const record = readExitRecord(request.exitRecordPath);
        assert.ok(record !== null && record !== 'corrupt');
        assert.deepEqual(
          { pid: record.pid, code: record.code, signal: record.signal, witness: record.witness },
          { pid: tree.leader.pid, ...status, witness: 'keeper' },
        );
      });
    }

    it('sees no end of its input with stdin hold', async () => {
      // 124 is timeout(1)'s word for a reader that was still waiting; one that saw the end would say 5.
      const script =
        'echo running; timeout --foreground 0.5 sh -c "read line; exit 5"; echo "reader ended with $?"; sleep 60';
      const request = requestFor(sh(script), { stdin: 'hold' });
      await orphan(request);
      assert.match(await printed(request, 'reader ended'), /reader ended with 124/);
    });

    it('tells its end to a successor that watches the record', async () => {
      const { request, go } = gated('exit 9');
      const tree = await orphan(request);
      const watched = watchExitRecord(request.exitRecordPath, tree, { intervalMs: 60_000 });
      go();
      assert.deepEqual(await keptAlive(watched), { code: 9, signal: null });
    });

    it('is unwitnessed, not unending, to a successor when keeper and leader were killed without a record', async () => {
      const { request } = gated('exit 9');
      const tree = await orphan(request);
      const watched = watchExitRecord(request.exitRecordPath, tree, { intervalMs: 20 });
      process.kill(tree.keeper!.pid, 'SIGKILL');
      process.kill(tree.leader.pid, 'SIGKILL');
      assert.deepEqual(await keptAlive(watched), { code: null, signal: null });
    });

    it('is not taken for ended when only the keeper was killed', async () => {
      const { request, go } = gated('echo later; exec sleep 60');
      const tree = await orphan(request);
      let settled = false;
      const stop = new AbortController();
      void watchExitRecord(request.exitRecordPath, tree, { intervalMs: 5, signal: stop.signal }).then(() => {
        settled = true;
      });
      process.kill(tree.keeper!.pid, 'SIGKILL');
      await untilGone(tree.keeper!);
      go();
      await printed(request, 'later');
      assert.equal(settled, false);
      stop.abort();
    });
  });

/** The watch holds no event loop open of its own. */
async function keptAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
