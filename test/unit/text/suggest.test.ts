import assert from 'node:assert/strict';
import { closest, editDistance } from '../../../server/text/suggest.ts';

const KEYS = ['command', 'restart', 'ready', 'dependsOn', 'stopSignal', 'stopTimeout', 'env', 'envFile', 'port', 'cwd'];

describe('closest', () => {
  const found: readonly [string, string | null][] = [
    ['restrat', 'restart'],
    ['comand', 'command'],
    ['commands', 'command'],
    ['depends_on', 'dependsOn'],
    ['depends-on', 'dependsOn'],
    ['DEPENDSON', 'dependsOn'],
    ['dependOn', 'dependsOn'],
    ['dep', 'dependsOn'],
    ['evn', 'env'],
    ['prot', 'port'],
    ['rady', 'ready'],
    ['stop', null],
    ['x', null],
    ['', null],
    ['environment', null],
    ['completelyDifferent', null],
  ];
  for (const [word, expected] of found) {
    it(`finds ${expected ?? 'nothing'} for ${JSON.stringify(word)}`, () => {
      assert.equal(closest(word, KEYS), expected);
    });
  }
  it('finds a signal by its short name', () => {
    assert.equal(closest('TERM', ['SIGTERM', 'SIGINT', 'SIGKILL']), 'SIGTERM');
  });
  it('does not suggest the word itself', () => {
    assert.equal(closest('port', ['port']), null);
  });
  it('takes the nearest of several', () => {
    assert.equal(closest('buil', ['built-in', 'build', 'guild']), 'build');
  });
  it('gives up on words far longer than any name', () => {
    assert.equal(closest('a'.repeat(100_000), ['a'.repeat(99_999)]), null);
  });
});

describe('editDistance', () => {
  const distances: readonly [string, string, number][] = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'ab', 1],
    ['abc', 'abcd', 1],
    ['abc', 'adc', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [left, right, distance] of distances) {
    it(`is ${distance} between ${JSON.stringify(left)} and ${JSON.stringify(right)}`, () => {
      assert.equal(editDistance(left, right, 5), distance);
      assert.equal(editDistance(right, left, 5), distance);
    });
  }
  it('stops at the limit', () => {
    assert.equal(editDistance('kitten', 'sitting', 2), 3);
    assert.equal(editDistance('aaaaaaaa', 'b', 2), 3);
  });
});
