import assert from 'node:assert/strict';
import { formatBytes, formatDuration, parseDuration, parseSize } from '../../../server/text/units.ts';

describe('parseDuration', () => {
  const good: readonly [string, number][] = [
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0', 0],
    ['0s', 0],
    [' 5s ', 5000],
    ['5 s', 5000],
  ];
  for (const [text, value] of good) {
    it(`reads ${JSON.stringify(text)} as ${value} ms`, () => {
      assert.deepEqual(parseDuration(text), { ok: true, value });
    });
  }
  for (const text of [
    '',
    '5',
    '-5s',
    '5S',
    's',
    '1h30m',
    '5 seconds',
    '1e3s',
    '.5s',
    '5.s',
    '0x10s',
    '5s;',
    'NaNs',
    '30d',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseDuration(text).ok, false);
    });
  }
  it('says what was expected and what was found', () => {
    assert.deepEqual(parseDuration('5'), {
      ok: false,
      message: 'expected a duration such as "250ms", "5s", "2m" or "1h", found "5" (the unit is missing)',
    });
  });
  it('refuses a duration that a timer would turn into none at all', () => {
    assert.match((parseDuration('1000h') as { message: string }).message, /longer than the longest duration, 24d 20h/);
  });
  it('refuses a number too large for a number', () => {
    assert.equal(parseDuration(`${'9'.repeat(400)}s`).ok, false);
  });
  it('does not take a property of Object for a unit', () => {
    assert.equal(parseDuration('5constructor').ok, false);
  });
});

describe('parseSize', () => {
  const good: readonly [string, number][] = [
    ['512B', 512],
    ['64KB', 65_536],
    ['300MB', 314_572_800],
    ['2GB', 2_147_483_648],
    ['1.5GB', 1_610_612_736],
    ['0', 0],
  ];
  for (const [text, value] of good) {
    it(`reads ${JSON.stringify(text)} as ${value} bytes`, () => {
      assert.deepEqual(parseSize(text), { ok: true, value });
    });
  }
  for (const text of ['', '300', '300mb', '300Mb', '2G', '2GiB', '-1MB', 'MB', '1TB', '9999999999GB']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseSize(text).ok, false);
    });
  }
  it('names the units when one is unknown', () => {
    assert.match((parseSize('2GiB') as { message: string }).message, /the unit "GiB" is not one of B, KB, MB, GB$/);
  });
});

describe('formatDuration', () => {
  const shown: readonly [number, string][] = [
    [-5, '0ms'],
    [0, '0ms'],
    [250, '250ms'],
    [999.6, '1s'],
    [1500, '1.5s'],
    [9949, '9.9s'],
    [9960, '10s'],
    [59_499, '59s'],
    [59_600, '1m'],
    [125_000, '2m 5s'],
    [3_600_000, '1h'],
    [3_660_000, '1h 1m'],
    [187_200_000, '2d 4h'],
    [Number.NaN, '0ms'],
  ];
  for (const [value, text] of shown) {
    it(`writes ${value} as ${text}`, () => {
      assert.equal(formatDuration(value), text);
    });
  }
});

describe('formatBytes', () => {
  const shown: readonly [number, string][] = [
    [0, '0B'],
    [999, '999B'],
    [1023, '1023B'],
    [1024, '1KB'],
    [1536, '1.5KB'],
    [10_240, '10KB'],
    [1024 ** 2 - 1, '1MB'],
    [314_572_800, '300MB'],
    [2_147_483_648, '2GB'],
    [1024 ** 4 * 3, '3TB'],
  ];
  for (const [value, text] of shown) {
    it(`writes ${value} as ${text}`, () => {
      assert.equal(formatBytes(value), text);
    });
  }
});
