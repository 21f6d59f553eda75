import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  followJournal,
  type Journal,
  type JournalOptions,
  openJournal,
  readJournal,
} from '../../../server/store/journal.ts';
import type { JournalEvent } from '../../../server/store/types.ts';
import { limitDisk } from '../../support/limitDisk.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('the journal', () => {
  let stateDir: string;
  let file: string;
  const opened: Journal[] = [];

  beforeEach(() => {
    stateDir = temporaryFolder('journal');
    file = join(stateDir, 'events.jsonl');
  });

  afterEach(() => {
    for (const journal of opened.splice(0)) journal.close();
  });

  after(removeTemporaryFolders);

  function open(options: JournalOptions = {}): Journal {
    const journal = openJournal(stateDir, options);
    opened.push(journal);
    return journal;
  }

  function numbers(events: readonly JournalEvent[] = readJournal(stateDir).events): number[] {
    return events.map((one) => one.seq);
  }

  it('holds an event when append returns', () => {
    open({ now: () => 5, supervisor: 9 }).append('service_ready', { name: 'web', port: 3000 });
    const event = { seq: 1, at: 5, supervisor: 9, event: 'service_ready', name: 'web', port: 3000 };
    assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(event)}\n`);
    assert.deepEqual(readJournal(stateDir).events, [event]);
  });

  it('is readable by its owner alone', () => {
    open().append('x');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('goes on counting where an earlier supervisor ended', () => {
    const first = open();
    for (let at = 0; at < 5; at += 1) first.append('x');
    first.close();
    assert.equal(open().append('x').seq, 6);
  });

  it('gives no number twice to two writers, as in the moments in which a lock is lost, and follows a rotation of the other', () => {
    const [one, other] = [open({ maxBytes: 1000 }), open({ maxBytes: 1000 })];
    for (let at = 0; at < 30; at += 1) (at % 3 === 0 ? one : other).append('x', { text: 'y'.repeat(20) });
    assert.deepEqual(
      numbers(),
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
  });

  it('lets no field take the place of number, time, supervisor or name', () => {
    const event = open({ now: () => 5, supervisor: 9 }).append('x', { seq: 77, at: 77, supervisor: 77, event: 'y' });
    assert.deepEqual(event, { seq: 1, at: 5, supervisor: 9, event: 'x' });
  });

  it('keeps the names of an environment and none of its values', () => {
    const journal = open();
    journal.append('x', { env: { TOKEN: 'secret' }, environment: { KEY: 'secret' } });
    assert.doesNotMatch(readFileSync(file, 'utf8'), /secret/);
    assert.deepEqual(readJournal(stateDir).events[0]?.env, ['TOKEN']);
  });

  it('takes fields that cannot be written as JSON, or are far too long, and says so', () => {
    const journal = open();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    journal.append('a', { loop });
    journal.append('b', { big: 1n });
    journal.append('c', { text: 'x'.repeat(300_000) });
    const { events } = readJournal(stateDir);
    assert.deepEqual(
      events.map((one) => [one.event, typeof one.unrecorded]),
      [
        ['a', 'string'],
        ['b', 'string'],
        ['c', 'string'],
      ],
    );
  });

  it('torn at any byte loses the torn event alone, and the next is readable', () => {
    const first = open();
    for (const name of ['a', 'größe', 'c']) first.append('x', { name });
    first.close();
    const whole = readFileSync(file);
    for (let length = 0; length <= whole.length; length += 1) {
      writeFileSync(file, whole.subarray(0, length));
      const before = numbers();
      const journal = openJournal(stateDir);
      const { seq } = journal.append('next');
      journal.close();
      const { events } = readJournal(stateDir);
      assert.equal(events.at(-1)?.event, 'next', `torn after ${length} bytes`);
      assert.deepEqual(numbers(events.slice(0, -1)), before);
      assert.ok(
        before.every((one) => one < seq),
        `number ${seq} again after ${length} bytes`,
      );
    }
  });

  it('with a rotated file torn at any byte loses the torn events alone, wherever they are', () => {
    const first = open({ maxBytes: 150 });
    for (const name of ['größe', 'b', 'c', 'd', 'e']) first.append('x', { name });
    first.close();
    const rotated = join(stateDir, 'events.1.jsonl');
    const whole = readFileSync(rotated);
    const all = numbers();
    const lines = whole.toString('utf8').split('\n').slice(0, -1);
    const mine = lines.map((line) => (JSON.parse(line) as JournalEvent).seq);
    const ends = lines.map((_, at) => Buffer.byteLength(`${lines.slice(0, at + 1).join('\n')}`));
    for (let length = 0; length <= whole.length; length += 1) {
      writeFileSync(rotated, whole.subarray(0, length));
      const lost = new Set(mine.filter((_, at) => (ends[at] ?? 0) > length));
      assert.deepEqual(
        numbers(),
        all.filter((seq) => !lost.has(seq)),
        `torn after ${length} bytes`,
      );
    }
    assert.ok(mine.length > 0 && mine.length < all.length);
  });

  it('says that its last line was found torn', () => {
    open().append('a');
    assert.equal(openJournal(stateDir).torn, false);
    truncateSync(file, readFileSync(file).length - 1);
    assert.equal(openJournal(stateDir).torn, true);
  });

  it('written by two at the same time holds every line of both whole', () => {
    const writers = [open({ supervisor: 1 }), open({ supervisor: 2 })];
    for (let at = 0; at < 200; at += 1) writers[at % 2]?.append('x', { at, text: 'ü'.repeat(at) });
    const { events, skipped } = readJournal(stateDir);
    assert.deepEqual([events.length, skipped], [200, 0]);
    assert.deepEqual(
      [1, 2].map((writer) => events.filter((one) => one.supervisor === writer).length),
      [100, 100],
    );
  });

  it('counts lines that are no records and reads on', () => {
    const journal = open();
    journal.append('a');
    appendFileSync(file, 'garbage\n\n{"seq":"x"}\n[1]\n');
    journal.append('b');
    const { events, skipped } = readJournal(stateDir);
    assert.deepEqual([events.map((one) => one.event), skipped], [['a', 'b'], 3]);
  });

  it('gives what came after a number, and the newest up to a limit', () => {
    const journal = open();
    for (let at = 0; at < 20; at += 1) journal.append('x');
    assert.deepEqual(numbers(readJournal(stateDir, { sinceSeq: 17 }).events), [18, 19, 20]);
    assert.deepEqual(numbers(readJournal(stateDir, { limit: 2 }).events), [19, 20]);
    assert.deepEqual(numbers(readJournal(stateDir, { sinceSeq: 5, limit: 1 }).events), [20]);
  });

  it('is empty where there is none', () => {
    assert.deepEqual(readJournal(join(stateDir, 'none')), { events: [], skipped: 0 });
  });

  it('reads records that lie across the pieces in which a file is read', () => {
    const journal = open();
    for (let at = 0; at < 300; at += 1) journal.append('x', { text: 'ü'.repeat(at * 7) });
    const { events, skipped } = readJournal(stateDir);
    assert.deepEqual(
      numbers(events),
      Array.from({ length: 300 }, (_, at) => at + 1),
    );
    assert.ok(events.every((one, at) => one.text === 'ü'.repeat(at * 7)));
    assert.equal(skipped, 0);
  });

  describe('rotated by size', () => {
    it('keeps so many files, counts on and reads across them', () => {
      const journal = open({ maxBytes: 1000, keep: 3 });
      for (let at = 0; at < 100; at += 1) journal.append('x', { text: 'y'.repeat(50) });
      const names = readdirSync(stateDir).sort();
      assert.deepEqual(
        names.filter((name) => name !== 'events.jsonl'),
        ['events.1.jsonl', 'events.2.jsonl', 'events.3.jsonl'],
      );
      const seen = numbers();
      assert.equal(seen.at(-1), 100);
      assert.deepEqual(
        seen,
        Array.from({ length: seen.length }, (_, at) => 101 - seen.length + at),
      );
      assert.ok(seen.length > 25, `${seen.length}`);
    });

    it('holds the end of a thing however much was told before, and however long its last words are (R97)', () => {
      const journal = open({ maxBytes: 1000, keep: 2 });
      for (let at = 0; at < 500; at += 1) journal.append('x', { text: 'y'.repeat(900) });
      journal.append('run_finished', { id: 'r-1', state: 'failed', tail: 'z'.repeat(50 * 1024 * 1024) });
      const last = readJournal(stateDir).events.at(-1);
      assert.deepEqual([last?.seq, last?.event], [501, 'run_finished']);
    });

    it('counts on when the newest file is empty or gone', () => {
      const journal = open({ maxBytes: 200 });
      for (let at = 0; at < 10; at += 1) journal.append('x', { text: 'y'.repeat(200) });
      journal.close();
      writeFileSync(file, '');
      assert.equal(open().append('x').seq, 11);
      opened.pop()?.close();
      rmSync(file);
      assert.equal(openJournal(stateDir).sequence, 10);
    });

    it('reads on when it was killed between two renames', () => {
      const journal = open({ maxBytes: 200, keep: 3 });
      for (let at = 0; at < 10; at += 1) journal.append('x', { text: 'y'.repeat(200) });
      journal.close();
      renameSync(join(stateDir, 'events.2.jsonl'), join(stateDir, 'events.3.jsonl'));
      renameSync(join(stateDir, 'events.1.jsonl'), join(stateDir, 'events.2.jsonl'));
      const seen = numbers();
      assert.deepEqual(seen, [9, 10]);
      assert.equal(open({ maxBytes: 200, keep: 3 }).append('x').seq, 11);
    });
  });

  describe('on a full disk', () => {
    it('keeps events in order until there is room, and loses none', async () => {
      const failures: string[] = [];
      const journal = open({ onWrite: (result) => failures.push(result.ok ? 'ok' : result.failure.reason) });
      journal.append('before');
      const disk = limitDisk(stateDir, 20);
      try {
        for (let at = 0; at < 5; at += 1) journal.append('during', { at });
        assert.deepEqual(numbers(), [1]);
      } finally {
        disk.restore();
      }
      journal.append('after');
      const { events, skipped } = readJournal(stateDir);
      assert.deepEqual(numbers(events), [1, 2, 3, 4, 5, 6, 7]);
      assert.equal(skipped, 1, 'the piece that the full disk still took');
      assert.deepEqual(failures, ['ok', ...Array(5).fill('disk_full'), 'ok']);
    });

    it('writes what waits without a further event, once there is room', async () => {
      const journal = open();
      const disk = limitDisk(stateDir, 0);
      journal.append('during');
      disk.restore();
      await until('the event', () => numbers().length === 1);
    });

    it('says how many it had to drop, where they would have been', () => {
      const journal = open();
      journal.append('before');
      const disk = limitDisk(stateDir, 0);
      for (let at = 0; at < 1500; at += 1) journal.append('during');
      disk.restore();
      journal.append('after');
      const { events } = readJournal(stateDir);
      const gap = events[1];
      assert.deepEqual([gap?.event, gap?.from, gap?.to, gap?.dropped], ['journal_gap', 2, 502, 501]);
      assert.equal(events.length, 2 + 1000);
      assert.equal(events.at(-1)?.seq, 1502);
      assert.equal(events[2]?.seq, 503);
    });
  });

  it('does not bring a deleted state directory back, and never throws', () => {
    const journal = open();
    journal.append('a');
    rmSync(stateDir, { recursive: true });
    journal.append('b');
    assert.equal(existsSync(stateDir), false);
    mkdirSync(stateDir);
    journal.append('c');
    assert.deepEqual(
      readJournal(stateDir).events.map((one) => one.event),
      ['b', 'c'],
    );
  });

  describe('followed', () => {
    interface Following {
      events: JournalEvent[];
      gaps: unknown[];
      end(): Promise<void>;
    }
    const followings: Following[] = [];

    afterEach(async () => {
      await Promise.all(followings.splice(0).map((one) => one.end()));
    });

    function follow(sinceSeq = 0): Following {
      const events: JournalEvent[] = [];
      const gaps: unknown[] = [];
      const abort = new AbortController();
      const done = followJournal(stateDir, {
        sinceSeq,
        signal: abort.signal,
        onEvent: (event) => events.push(event),
        onGap: (gap) => gaps.push(gap),
      });
      const following = {
        events,
        gaps,
        end: () => {
          abort.abort();
          return done;
        },
      };
      followings.push(following);
      return following;
    }

    it('gives what is there and then what comes, each once and in order', async () => {
      const journal = open();
      journal.append('a');
      const { events } = follow();
      await until('the first', () => events.length === 1);
      for (let at = 0; at < 100; at += 1) journal.append('b');
      await until('the rest', () => events.length === 101);
      assert.deepEqual(
        numbers(events),
        Array.from({ length: 101 }, (_, at) => at + 1),
      );
    });

    it('begins after a number, or with what comes from now on', async () => {
      const journal = open();
      for (let at = 0; at < 5; at += 1) journal.append('a');
      const since = follow(3);
      const fromNow = follow(Number.POSITIVE_INFINITY);
      journal.append('b');
      await until('both', () => since.events.length === 3 && fromNow.events.length === 1);
      assert.deepEqual(numbers(since.events), [4, 5, 6]);
      assert.deepEqual(numbers(fromNow.events), [6]);
    });

    it('waits for a journal that is not there yet', async () => {
      const { events } = follow();
      open().append('a');
      await until('the event', () => events.length === 1);
    });

    it('misses nothing across rotations, however many come at once', async () => {
      const journal = open({ maxBytes: 2000, keep: 50 });
      const { events, gaps } = follow();
      for (let burst = 0; burst < 10; burst += 1) {
        for (let at = 0; at < 60; at += 1) journal.append('x', { text: 'y'.repeat(60) });
        await until('a burst', () => events.length > burst * 30);
      }
      await until('all', () => events.length === 600);
      assert.deepEqual(
        numbers(events),
        Array.from({ length: 600 }, (_, at) => at + 1),
      );
      assert.deepEqual(gaps, []);
    });

    it('says what is missing when files went before they could be read', async () => {
      const journal = open({ maxBytes: 1000, keep: 1 });
      journal.append('x');
      const { events, gaps } = follow();
      await until('the first', () => events.length === 1);
      for (let at = 0; at < 200; at += 1) journal.append('x', { text: 'y'.repeat(100) });
      await until('the last', () => events.at(-1)?.seq === 201);
      assert.equal(gaps.length, 1);
    });

    it('passes over a torn line and gives the next event', async () => {
      open().append('a');
      opened.pop()?.close();
      const { events } = follow();
      await until('the first', () => events.length === 1);
      appendFileSync(file, '{"seq":2,"at');
      open().append('b');
      await until('the next', () => events.length === 2);
      assert.equal(events[1]?.event, 'b');
    });

    it('begins anew with a journal that begins anew', async () => {
      const journal = open();
      for (let at = 0; at < 5; at += 1) journal.append('a');
      const { events } = follow();
      await until('the first', () => events.length === 5);
      journal.close();
      rmSync(file);
      open().append('b');
      await until('the new one', () => events.length === 6);
      assert.equal(events[5]?.seq, 1);
    });

    it('ends when it is told to, leaving no watch behind', async () => {
      open().append('a');
      const following = follow();
      await until('the first', () => following.events.length === 1);
      await following.end();
      assert.deepEqual(
        process.getActiveResourcesInfo().filter((one) => one.includes('FSEvent')),
        [],
      );
    });
  });
});
