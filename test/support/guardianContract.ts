/** What every guardian does. It is spoken to by hand. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { encodePlan, type GuardianPlan, type GuardianWay } from '../../server/process/guardian.ts';
import { temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

interface Guarded {
  readonly child: ChildProcess;
  readonly channel: Socket;
  readonly folder: string;
  readonly plan: GuardianPlan;
  said: string;
}

/** `way` without the workspace's id; `null`: it cannot run here. `quick`: one whose successors must speak within 1 s. */
export function describeGuardian(
  title: string,
  way: () => GuardianWay | null,
  quick: () => GuardianWay | null = () => null,
): void {
  describe(title, () => {
    let guardian: GuardianWay;
    const children: ChildProcess[] = [];
    before(function () {
      const found = way();
      if (found === null) this.skip();
      guardian = found;
    });
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    /** Starts one; the successor is a shell script that has the number of losses as `$1`. */
    function start(script: string, changes: Partial<GuardianPlan> = {}, { command } = guardian): Guarded {
      const folder = mkdtempSync(join(temporaryFolder('guardian'), 'state-'));
      const [program, ...words] = command;
      const child = spawn(program, [...words, 'workspace-id'], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        detached: true,
        env: { PATH: '/usr/bin:/bin', COPPICE_SPEECHLESS_SECONDS: command === guardian.command ? '30' : '1' },
      });
      children.push(child);
      const channel = child.stdio[3] as Socket;
      channel.on('error', () => {});
      const plan: GuardianPlan = {
        delaysMs: [0, 0],
        losses: 3,
        argv: ['/bin/sh', '-c', script, 'successor'],
        env: { FOLDER: folder, ODD: 'it\'s\n end\n$(false) \\ "', PATH: '/usr/bin:/bin' },
        logPath: join(folder, 'own.log'),
        recordPath: join(folder, 'guardian.json'),
        recordText: { before: '{"gaveUp":{"text":"it\'s over",', after: '}}\n' },
        ...changes,
      };
      const guarded: Guarded = { child, channel, folder, plan, said: '' };
      channel.setEncoding('utf8').on('data', (text) => {
        guarded.said += text;
      });
      return guarded;
    }
    const send = ({ channel }: Guarded, plan: GuardianPlan): void => {
      channel.write(encodePlan(guardian.kind, plan) ?? '');
    };
    const planned = (guarded: Guarded, times = 1): Promise<true> => {
      send(guarded, guarded.plan);
      return until('the plan to be taken', () => guarded.said === 'planned\n'.repeat(times));
    };
    /** Ends the socket as the death of a supervisor does; gives the guardian's exit code. */
    const lose = async ({ child, channel }: Guarded): Promise<number | null> => {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      channel.destroy();
      return (await ended)[0];
    };
    const text = ({ folder }: Guarded, name: string): string => readFileSync(join(folder, name), 'utf8');

    it('starts nothing when it is dismissed', async () => {
      const guarded = start('echo started >> "$FOLDER/starts"');
      await planned(guarded);
      const ended = once(guarded.child, 'exit');
      guarded.channel.write(guardian.kind === 'native' ? Buffer.alloc(4) : 'dismissed\n');
      assert.deepEqual(await ended, [0, null]);
      assert.equal(existsSync(join(guarded.folder, 'starts')), false);
    });

    it('starts nothing when it is left without a plan', async () => {
      const guarded = start('echo started >> "$FOLDER/starts"');
      assert.equal(await lose(guarded), 0);
      assert.equal(existsSync(join(guarded.folder, 'starts')), false);
    });

    it('starts a successor with exactly what the plan says, and ends once that is in charge', async () => {
      const guarded = start('echo "$0 $1 $(pwd)"; echo err >&2; printf %s "$ODD" > "$FOLDER/odd"; echo in charge >&3');
      await planned(guarded);
      assert.equal(await lose(guarded), 0);
      assert.equal(text(guarded, 'own.log'), 'successor 1 /\nerr\n');
      assert.equal(text(guarded, 'odd'), guarded.plan.env.ODD);
      assert.equal(statSync(guarded.plan.logPath).mode & 0o777, 0o600);
      assert.equal(existsSync(guarded.plan.recordPath), false);
    });

    it('leaves it without the environment and the signal mask of its own', async () => {
      const guarded = start('env > "$FOLDER/env"; grep SigBlk /proc/self/status > "$FOLDER/mask"; echo in charge >&3', {
        env: {},
      });
      const env = { FOLDER: guarded.folder };
      send(guarded, { ...guarded.plan, env });
      await until('the plan to be taken', () => guarded.said === 'planned\n');
      assert.equal(await lose(guarded), 0);
      assert.match(text(guarded, 'mask'), /:\s0+\n$/);
      const names = text(guarded, 'env')
        .split('\n')
        .map((line) => line.split('=')[0] ?? '')
        .filter((name) => !['', 'PWD', 'OLDPWD', 'SHLVL', '_', 'PATH'].includes(name));
      assert.deepEqual(names, ['FOLDER']);
    });

    it('goes by the newest plan that it has as a whole', async () => {
      const guarded = start('echo old; echo in charge >&3');
      await planned(guarded);
      const changed = { ...guarded.plan, argv: ['/bin/sh', '-c', 'echo new; echo in charge >&3', 'x'] as const };
      send(guarded, { ...changed });
      await until('the plan to be taken', () => guarded.said === 'planned\n'.repeat(2));
      const torn = encodePlan(guardian.kind, { ...guarded.plan, argv: ['/bin/sh', '-c', 'echo torn', 'x'] });
      guarded.channel.write(torn?.subarray(0, torn.length - 4) ?? '');
      assert.equal(await lose(guarded), 0);
      assert.equal(text(guarded, 'own.log'), 'new\n');
    });

    it('tries again after each successor that ends before it is in charge', async () => {
      const guarded = start('echo "$1"; [ "$1" = 2 ] && echo in charge >&3; exit 1');
      await planned(guarded);
      assert.equal(await lose(guarded), 0);
      assert.equal(text(guarded, 'own.log'), '1\n2\n');
    });

    for (const code of [0, 2, 130, 143]) {
      it(`needs no other when one ends with code ${code}`, async () => {
        const guarded = start(`echo "$1"; exit ${code}`);
        await planned(guarded);
        assert.equal(await lose(guarded), 0);
        assert.equal(text(guarded, 'own.log'), '1\n');
        assert.equal(existsSync(guarded.plan.recordPath), false);
      });
    }

    it('gives up when the plan is spent, and leaves a record of it that only the user can read', async () => {
      const guarded = start('exit 9');
      writeFileSync(guarded.plan.recordPath, 'before');
      await planned(guarded);
      assert.equal(await lose(guarded), 1);
      const { gaveUp } = JSON.parse(text(guarded, 'guardian.json'));
      assert.ok(Math.abs(Date.now() - gaveUp.at) < 10_000);
      assert.deepEqual(
        { ...gaveUp, at: 0 },
        { text: "it's over", losses: 6, at: 0, code: 9, signal: null, missing: null },
      );
      assert.equal(statSync(guarded.plan.recordPath).mode & 0o777, 0o600);
    });

    it('says how the last one was ended, and which of its words names a file that is not there', async () => {
      const guarded = start('kill -KILL $$');
      const argv = ['/bin/sh', '-c', 'kill -KILL $$', '/no/such/program.cjs'] as const;
      send(guarded, { ...guarded.plan, argv: [...argv] });
      await until('the plan to be taken', () => guarded.said === 'planned\n');
      assert.equal(await lose(guarded), 1);
      const { gaveUp } = JSON.parse(text(guarded, 'guardian.json'));
      assert.deepEqual([gaveUp.code, gaveUp.signal, gaveUp.missing], [null, 'SIGKILL', 3]);
    });

    it('gives up on a program that is not there any more', async () => {
      const guarded = start('');
      send(guarded, { ...guarded.plan, argv: ['/no/such/node', 'x'] });
      await until('the plan to be taken', () => guarded.said === 'planned\n');
      assert.equal(await lose(guarded), 1);
      const { gaveUp } = JSON.parse(text(guarded, 'guardian.json'));
      assert.deepEqual([gaveUp.code, gaveUp.missing], [127, 0]);
    });

    it('starts nothing, and says that it gave up, when the plan allows none', async () => {
      const guarded = start('echo started', { delaysMs: [] });
      await planned(guarded);
      assert.equal(await lose(guarded), 1);
      assert.equal(existsSync(guarded.plan.logPath), false);
      const { gaveUp } = JSON.parse(text(guarded, 'guardian.json'));
      assert.deepEqual([gaveUp.losses, gaveUp.code, gaveUp.signal], [4, null, null]);
    });

    it('waits as long as the plan says', async () => {
      const guarded = start('echo "$1"; [ "$1" = 2 ] && echo in charge >&3; exit 1', { delaysMs: [0, 1000] });
      await planned(guarded);
      const began = performance.now();
      await lose(guarded);
      const took = performance.now() - began;
      assert.ok(took >= 990 && took < 5000, `${took} ms`);
    });

    it('waited for ever for a successor that hung before it was in charge', async function () {
      const hurried = quick();
      if (hurried === null) this.skip();
      const guarded = start('echo "$1"; [ "$1" = 1 ] && exec sleep 1000; echo in charge >&3', {}, hurried);
      await planned(guarded);
      assert.equal(await lose(guarded), 0);
      assert.equal(text(guarded, 'own.log'), '1\n2\n');
    });

    it('guards on, without a limit, for a successor that has no guardian of its own yet', async function () {
      const hurried = quick();
      if (hurried === null) this.skip();
      const script = 'echo "$1"; if [ "$1" = 2 ]; then echo in charge >&3; else echo + >&3; sleep 2; kill -KILL $$; fi';
      const guarded = start(script, {}, hurried);
      await planned(guarded);
      const began = performance.now();
      assert.equal(await lose(guarded), 0);
      assert.ok(performance.now() - began > 1900);
      assert.equal(text(guarded, 'own.log'), '1\n2\n');
    });

    it('ends with a successor that has got one in the end', async () => {
      const guarded = start('echo "$1"; echo + >&3; sleep 0.1; echo in charge >&3');
      await planned(guarded);
      assert.equal(await lose(guarded), 0);
      assert.equal(text(guarded, 'own.log'), '1\n');
    });

    it('took a folder of logs that was removed for a workspace that another has', async () => {
      const guarded = start('touch "$FOLDER/started"; echo in charge >&3', { logPath: '/no/such/folder/own.log' });
      await planned(guarded);
      assert.equal(await lose(guarded), 0);
      assert.equal(existsSync(join(guarded.folder, 'started')), true);
    });

    it('spent its plan, and gave up, while the system had no room to start anything', async function () {
      if (guardian.kind === 'shell' || spawnSync('prlimit', ['--version']).status !== 0) this.skip();
      const guarded = start('echo "$1"; echo in charge >&3');
      await planned(guarded);
      const limit = (files: string) => spawnSync('prlimit', ['--pid', String(guarded.child.pid), `--nofile=${files}:`]);
      limit('3');
      const ended = lose(guarded);
      const first = await Promise.race([ended, new Promise((resolve) => setTimeout(() => resolve('waits'), 500))]);
      limit('1024');
      assert.deepEqual([first, await ended, text(guarded, 'own.log')], ['waits', 0, '1\n']);
    });

    it('brings no folder back that was removed', async () => {
      const guarded = start('exit 9', { recordPath: '/tmp/no-such-folder-of-a-guardian/guardian.json' });
      await planned(guarded);
      assert.equal(await lose(guarded), 1);
      assert.equal(existsSync('/tmp/no-such-folder-of-a-guardian'), false);
    });
  });
}
