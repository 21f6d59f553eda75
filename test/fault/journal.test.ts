import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { openJournal, readJournal } from '../../server/store/journal.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, '../support/programs/journal-writer.ts');

describe('the journal of a supervisor that is killed', () => {
  after(removeTemporaryFolders);

  /** Lets a writer run until it has appended `count` events, kills it, and gives the last number that it spoke of. */
  async function writeAndDie(stateDir: string, count: number): Promise<number> {
    const child = spawn(process.execPath, [PROGRAM, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > count) child.kill('SIGKILL');
    });
    await once(child, 'close');
    return Number(printed.split('\n').at(-2));
  }

  it('holds every event of which it spoke, each once, with numbers that go on, over ten lives', async () => {
    const stateDir = temporaryFolder('journal');
    let before = 0;
    for (let life = 0; life < 10; life += 1) {
      const last = await writeAndDie(stateDir, 5 + life * 11);
      assert.ok(last > before, `${last} after ${before}`);
      const { events, skipped } = readJournal(stateDir);
      assert.ok((events.at(-1)?.seq ?? 0) >= last);
      const seen = events.map((one) => one.seq);
      assert.deepEqual(
        seen,
        Array.from({ length: seen.length }, (_, at) => (seen[0] ?? 0) + at),
      );
      assert.ok(skipped <= life + 1, 'more than one line torn by a death');
      before = seen.at(-1) ?? 0;
    }
    const journal = openJournal(stateDir);
    assert.equal(journal.append('next').seq, before + 1);
    journal.close();
  });
});
