/** What every keeper does that has a pact. It is spoken to by hand. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './temporary.ts';
import { until } from './until.ts';

export interface PactOptions {
  /** It reaches what has left the leader's group and session as well. */
  readonly reachesAll: boolean;
}

/** `command` is that of the keeper, without its words. */
export function describePact(
  title: string,
  command: () => readonly string[] | null,
  { reachesAll }: PactOptions,
): void {
  describe(`${title}, with a pact`, () => {
    let words: readonly string[] = [];
    const children: ChildProcess[] = [];
    before(function () {
      const found = command();
      if (found === null) this.skip();
      words = found;
    });
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    async function start(script: string, limitMs: number, signal = 15) {
      const folder = mkdtempSync(join(temporaryFolder('pact'), 'tree-'));
      const recordPath = join(folder, 'exit.json');
      const mode = `ignore:${signal}:${limitMs}`;
      const [program, ...rest] = [...words, recordPath, mode, '--', '/bin/sh', 'sh', '-c', script];
      const child = spawn(program!, rest, {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        detached: true,
        cwd: folder,
        env: { PATH: '/usr/bin:/bin' },
      });
      children.push(child);
      const channel = child.stdio[3] as Socket;
      let said = '';
      channel.on('error', () => {});
      channel.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
      const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
      await until('the tree to run', () => existsSync(join(folder, 'up')));
      const record = (): Record<string, unknown> => JSON.parse(readFileSync(recordPath, 'utf8'));
      return { channel, folder, ended, record, said: () => said };
    }

    it('leaves a tree alone while its supervisor lives, and says nothing of a pact in its record', async () => {
      const { folder, ended, record } = await start('touch up; while [ ! -e go ]; do sleep 0.05; done; exit 5', 1000);
      writeFileSync(join(folder, 'go'), '');
      await ended;
      const { code, signal, pact } = record();
      assert.deepEqual([code, signal, pact], [5, null, undefined]);
    });

    it('ends it with its signal when the supervisor is lost, and says so in the record', async () => {
      const { channel, folder, ended, record } = await start(
        'trap "touch asked; exit 7" USR1; touch up; while :; do sleep 0.05; done',
        5000,
        10,
      );
      const began = performance.now();
      channel.destroy();
      await ended;
      assert.ok(performance.now() - began < 4000);
      const { code, signal, pact } = record();
      assert.deepEqual([code, signal, pact, existsSync(join(folder, 'asked'))], [7, null, true, true]);
    });

    it('kills what is deaf to it when its time is over', async () => {
      const { channel, ended, record } = await start('trap "" TERM; touch up; while :; do sleep 0.05; done', 300);
      const began = performance.now();
      channel.destroy();
      const [code] = await ended;
      const took = performance.now() - began;
      assert.ok(took >= 290 && took < 5000, `${took} ms`);
      const { signal, pact } = record();
      assert.deepEqual([signal, pact], ['SIGKILL', true]);
      if (reachesAll) assert.equal(code, 0);
    });

    it('reaches descendants that left the group, and those of a leader that has ended', async function () {
      if (!reachesAll) this.skip();
      const { channel, folder, ended } = await start(
        '(setsid sh -c \'trap "" TERM HUP; echo $$ > escaped; setsid sleep 1000 & sleep 1000\' &); ' +
          'while [ ! -s escaped ]; do sleep 0.02; done; touch up; exit 0',
        200,
      );
      const escaped = Number(readFileSync(join(folder, 'escaped'), 'utf8'));
      assert.ok(existsSync(`/proc/${escaped}`));
      channel.destroy();
      assert.deepEqual(await ended, [0, null]);
      assert.equal(existsSync(`/proc/${escaped}`), false);
    });
  });
}
