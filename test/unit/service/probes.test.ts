import assert from 'node:assert/strict';
import { addressesOf, covers, isLoopback } from '../../../server/service/probes/ownership.ts';

describe('whose listener a connection reached', () => {
  const cases: readonly [string, string, boolean][] = [
    ['127.0.0.1', '127.0.0.1', true],
    ['0.0.0.0', '127.0.0.1', true],
    ['::', '127.0.0.1', true],
    ['::', '::1', true],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['0.0.0.0', '::1', false],
    ['::1', '127.0.0.1', false],
    ['127.0.0.1', '::1', false],
    ['127.0.0.2', '127.0.0.1', false],
  ];
  for (const [bound, asked, expected] of cases) {
    it(`a listener at ${bound} ${expected ? 'may' : 'cannot'} have answered at ${asked}`, () => {
      assert.equal(covers({ address: bound, port: 80, pid: 1 }, asked, 80), expected);
    });
  }

  it('is never one of another port', () => {
    assert.equal(covers({ address: '127.0.0.1', port: 81, pid: 1 }, '127.0.0.1', 80), false);
  });
});

describe('where a host name is asked', () => {
  for (const name of ['localhost', 'LOCALHOST', 'app.localhost', '0.0.0.0', '[::]']) {
    it(`${name} at both loopback addresses`, () => {
      assert.deepEqual(addressesOf(name), ['127.0.0.1', '::1']);
    });
  }

  it('an address at itself, brackets or not', () => {
    assert.deepEqual([...addressesOf('[::1]'), ...addressesOf('127.0.0.1')], ['::1', '127.0.0.1']);
  });

  it('tells loopback from the world', () => {
    assert.deepEqual(['127.0.0.1', '127.8.9.1', '::1', '10.0.0.1', 'example.test'].map(isLoopback), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
