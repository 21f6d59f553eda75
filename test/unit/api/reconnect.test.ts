import assert from 'node:assert/strict';
import type { ConnectFailure } from '../../../server/api/client.ts';
import {
  beginSearch,
  judgeAttempt,
  judgeSight,
  paramsForRepetition,
  pauseBefore,
  repetitionOf,
  type Search,
  type SearchVerdict,
  type Sight,
} from '../../../server/api/reconnect.ts';

const LIMITS = { successorMs: 1_000, guardedMs: 60_000, holderMs: 5_000 };
const HOLDER = { pid: 2, endpoint: '/s', elsewhere: false };
const DEAD: Sight = { kind: 'dead_holder', pid: 1, prospect: 'unknown' };
const NOT_LISTENING: ConnectFailure = { reason: 'not_listening', endpoint: '/s', detail: 'ENOENT' };

function look(search: Search, sight: Sight, now: number): SearchVerdict {
  return judgeSight(search, sight, now, LIMITS);
}

function searchOf(verdict: SearchVerdict): Search {
  assert.ok(verdict.do !== 'end', JSON.stringify(verdict));
  return verdict.search;
}

function endOf(verdict: SearchVerdict): string {
  return verdict.do === 'end' ? verdict.end.kind : verdict.do;
}

describe('which requests a successor is asked again', () => {
  const exec = { argv: ['x'], cwd: '/', env: {}, session: null } as const;

  it('are all that do no more when they are asked twice', () => {
    const names = 'status subscribe wait up start stop reset reload reap down execWait execStop'.split(' ');
    assert.deepEqual(
      names.filter((name) => repetitionOf(name as 'status', {}) !== 'repeat'),
      [],
    );
  });

  it('is a command that its caller has named, and no other', () => {
    assert.equal(repetitionOf('exec', { ...exec, id: 'mine' }), 'repeat');
    assert.equal(repetitionOf('exec', exec), 'never');
  });

  it('is a restart, with a word of what there was before it was asked for', () => {
    assert.equal(repetitionOf('restart', { names: [] }), 'unless_done');
  });

  it('has of a wait only the time that is left, and never less than none', () => {
    const wait = { name: 'a', for: 'ready', timeoutMs: 1_000 } as const;
    assert.equal(paramsForRepetition('wait', wait, 400).timeoutMs, 600);
    assert.equal(paramsForRepetition('wait', wait, 4_000).timeoutMs, 0);
    assert.equal(paramsForRepetition('wait', { ...wait, timeoutMs: null }, 400).timeoutMs, null);
  });
});

describe('the search for a successor', () => {
  it('goes on while the lock names the one that was lost, and ends when its time is over', () => {
    const search = searchOf(look(beginSearch(1, 0, null), DEAD, 10));
    assert.equal(endOf(look(search, DEAD, 999)), 'look');
    assert.deepEqual(look(search, DEAD, 1_000), {
      do: 'end',
      end: { kind: 'no_successor', pid: 1, afterMs: 1_000, said: null },
    });
  });

  it('goes on for longer while a guardian lives that is to start one, which may itself be stopped', () => {
    const guarded: Sight = { ...DEAD, prospect: 'coming' };
    assert.equal(endOf(look(beginSearch(1, 0, null), guarded, 59_999)), 'look');
    assert.equal(endOf(look(beginSearch(1, 0, null), guarded, 60_000)), 'no_successor');
  });

  it('ends at once when the guardian has given up, with what it said', () => {
    const end = look(beginSearch(1, 0, null), { ...DEAD, prospect: { gaveUp: 'lost 8 times' } }, 5);
    assert.deepEqual(end, { do: 'end', end: { kind: 'no_successor', pid: 1, afterMs: 5, said: 'lost 8 times' } });
  });

  it('takes a lock that was released for an orderly end, when it is seen a second time', () => {
    const search = searchOf(look(beginSearch(1, 0, null), { kind: 'nobody' }, 10));
    assert.equal(endOf(look(search, { kind: 'nobody' }, 20)), 'ended');
    // It was put back meanwhile.
    const held = searchOf(look(search, DEAD, 20));
    assert.equal(endOf(look(held, { kind: 'nobody' }, 30)), 'look');
  });

  for (const [why, end] of [
    ['asked', 'ended'],
    ['workspace_gone', 'ended'],
    ['lock_lost', 'connect'],
    ['cannot_serve', 'connect'],
  ] as const) {
    it(`after the farewell "${why}" leads to "${end}" even where somebody holds the workspace by now`, () => {
      const search = beginSearch(1, 0, { why });
      assert.equal(endOf(look(search, { kind: 'holder', holder: HOLDER }, 10)), end);
    });
  }

  it('gives a holder that does not listen yet more time, counted from when it was first seen', () => {
    const found = look(beginSearch(1, 0, null), { kind: 'holder', holder: HOLDER }, 900);
    const search = searchOf(found);
    assert.equal(endOf(judgeAttempt(search, HOLDER, NOT_LISTENING, 5_899, LIMITS)), 'look');
    assert.equal(endOf(judgeAttempt(search, HOLDER, NOT_LISTENING, 5_900, LIMITS)), 'moved');
  });

  it('gives a successor that was lost as well a successor of its own', () => {
    const found = searchOf(look(beginSearch(1, 0, null), { kind: 'holder', holder: HOLDER }, 900));
    assert.equal(endOf(look(found, DEAD, 1_500)), 'look');
  });

  it('ends where the holder cannot be talked to from here, or is of another version', () => {
    const search = beginSearch(1, 0, null);
    const elsewhere = { ...HOLDER, elsewhere: true };
    assert.equal(endOf(judgeAttempt(search, elsewhere, NOT_LISTENING, 1, LIMITS)), 'moved');
    const other: ConnectFailure = { reason: 'version_mismatch', endpoint: '/s', detail: 'protocol 2' };
    assert.equal(endOf(judgeAttempt(search, HOLDER, other, 1, LIMITS)), 'moved');
    assert.equal(endOf(look(search, { kind: 'refused', pid: 2, detail: 'not private' }, 1)), 'moved');
  });

  it('looks often at first, and never less than six times a second', () => {
    const pauses = Array.from({ length: 20 }, (_, index) => pauseBefore(index));
    assert.deepEqual([pauses[0], pauses.at(-1)], [15, 150]);
    assert.ok(pauses.every((one, index) => index === 0 || one >= (pauses[index - 1] ?? 0)));
  });
});
