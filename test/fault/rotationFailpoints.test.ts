import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotateOutput } from '../../server/process/output/index.ts';
import { openJournal, readJournal } from '../../server/store/journal.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';

const PROGRAMS = join(import.meta.dirname, '../support/programs');

/** Steps of a rotation that loses nothing where the file system can do that, and of the other. */
const OUTPUT_STEPS = [
  ['best', 'web.log.rotating:write'],
  ['best', 'web.log.rotating:truncate'],
  ['best', 'web.log:truncate'],
  ...['best', 'truncate'].flatMap((method) =>
    ['web.log.rotation:open@1', 'web.log.rotation:rename@1', 'web.log.1:rename', 'web.log.rotation:rename@2'].map(
      (step) => [method, step],
    ),
  ),
  ['truncate', 'web.log.rotation:write@1'],
  ['truncate', 'web.log:truncate'],
] as [method: 'best' | 'truncate', step: string][];

describe('a rotation', () => {
  afterEach(() => {
    delete process.env.COPPICE_FAILPOINTS;
  });
  after(removeTemporaryFolders);

  describe('of what a service printed', () => {
    const text = Array.from({ length: 3000 }, (_, at) => `line ${at}\n`).join('');

    function output(): string {
      const path = join(temporaryFolder('rotation'), 'web.log');
      writeFileSync(path, text);
      return path;
    }

    function everything(path: string): string {
      const older = [5, 4, 3, 2, 1].map((number) => `${path}.${number}`).filter(existsSync);
      return [...older, path].map((file) => readFileSync(file, 'utf8')).join('');
    }

    function rule(step: string, action: string): string {
      const [where, which] = step.split('@');
      return `${where}=${action}${which === undefined ? '' : `@${which}`}`;
    }

    for (const [method, step] of OUTPUT_STEPS) {
      it(`(${method}) to which ${step} fails says so, loses no byte, and works the next time`, async () => {
        const path = output();
        process.env.COPPICE_FAILPOINTS = rule(step, 'fail:ENOSPC');
        const result = await rotateOutput(path, { maxBytes: 5000, keep: 5, method });
        if (!result.ok) assert.equal(result.failure.reason, 'disk_full');
        delete process.env.COPPICE_FAILPOINTS;
        assert.equal((await rotateOutput(path, { maxBytes: 1, keep: 5, method })).ok, true);
        assert.equal(everything(path), text);
      });

      it(`(${method}) killed at ${step} is finished or taken back by the next one, with no byte lost or twice`, async () => {
        const path = output();
        const child = spawn(process.execPath, [join(PROGRAMS, 'rotate-output.mjs'), path, method], {
          env: { ...process.env, COPPICE_FAILPOINTS: rule(step, 'die') },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        const ended = once(child, 'exit');
        // What the file system cannot do for a rotation without loss is not met there.
        const timer = setTimeout(() => child.kill('SIGTERM'), 5000);
        const [, signal] = await ended;
        clearTimeout(timer);
        assert.ok(signal === 'SIGKILL' || method === 'best', `${step} was not met`);
        assert.equal((await rotateOutput(path, { maxBytes: 1, keep: 5, method })).ok, true);
        assert.equal(everything(path), text);
        assert.deepEqual(
          readdirSync(join(path, '..')).filter((name) => name.endsWith('.rotating')),
          [],
        );
      });
    }
  });

  describe('of the journal', () => {
    for (const step of [
      'events.1.jsonl:rename',
      'events.2.jsonl:rename@2',
      'events.3.jsonl:unlink',
      'events.jsonl:open@2',
    ]) {
      const [where = '', which = '1'] = step.split('@');

      it(`that is killed at ${step} leaves every event that was kept, once, with numbers that go on`, async () => {
        const stateDir = temporaryFolder('rotation');
        const child = spawn(process.execPath, [join(PROGRAMS, 'journal-writer.ts'), stateDir], {
          env: { ...process.env, COPPICE_FAILPOINTS: `${where}=die@${which}` },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let printed = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          printed += text;
        });
        const [, signal] = await once(child, 'close');
        assert.equal(signal, 'SIGKILL');
        const { events } = readJournal(stateDir);
        const seen = events.map((one) => one.seq);
        assert.ok((seen.at(-1) ?? 0) >= Number(printed.trim().split('\n').at(-1)));
        assert.deepEqual(
          seen,
          seen.map((_, index) => (seen[0] ?? 0) + index),
        );
        const journal = openJournal(stateDir);
        assert.equal(journal.append('next').seq, (seen.at(-1) ?? 0) + 1);
        journal.close();
      });

      it(`to which ${step} fails goes on in the files that there are, and loses no event`, () => {
        const stateDir = temporaryFolder('rotation');
        process.env.COPPICE_FAILPOINTS = `${where}=fail:EIO@${which}`;
        const journal = openJournal(stateDir, { maxBytes: 2000, keep: 3 });
        for (let at = 0; at < 60; at += 1) journal.append('x', { text: 'y'.repeat(100) });
        journal.close();
        const seen = readJournal(stateDir).events.map((one) => one.seq);
        assert.deepEqual(
          seen,
          seen.map((_, index) => (seen[0] ?? 0) + index),
        );
        assert.equal(seen.at(-1), 60);
      });
    }
  });
});
