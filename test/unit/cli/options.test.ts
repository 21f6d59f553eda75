import assert from 'node:assert/strict';
import { parseOptions } from '../../../server/cli/options.ts';

const KNOWN = [
  { long: 'follow', short: 'f', description: '' },
  { long: 'lines', short: 'n', value: 'count', description: '' },
  { long: 'timeout', value: 'duration', description: '' },
];

function read(words: string[], until?: 'first-positional'): Record<string, unknown> {
  const parsed = parseOptions(words, KNOWN, until);
  if (!parsed.ok) return { error: parsed.message };
  return { words: parsed.invocation.positionals, ...Object.fromEntries(parsed.invocation.options) };
}

describe('the options of a verb', () => {
  const good: readonly [string, Record<string, unknown>][] = [
    ['web -f', { words: ['web'], follow: true }],
    ['-n 5 web', { words: ['web'], lines: '5' }],
    ['-n5', { words: [], lines: '5' }],
    ['-fn5', { words: [], follow: true, lines: '5' }],
    ['-fn 5', { words: [], follow: true, lines: '5' }],
    ['--lines=5', { words: [], lines: '5' }],
    ['--timeout 30s web', { words: ['web'], timeout: '30s' }],
    ['-- -f', { words: ['-f'] }],
    ['-', { words: ['-'] }],
  ];
  for (const [line, expected] of good) {
    it(`are read from "${line}"`, () => assert.deepEqual(read(line.split(' ')), expected));
  }

  it('end before the first word where a command of the user follows', () => {
    assert.deepEqual(read(['-f', 'npm', 'test', '-n', '--', '-x'], 'first-positional'), {
      words: ['npm', 'test', '-n', '--', '-x'],
      follow: true,
    });
  });

  it('that are unknown are refused with the nearest one', () => {
    assert.deepEqual(read(['--folow']), { error: 'unknown option --folow; did you mean --follow?' });
    assert.deepEqual(read(['-z']), { error: 'unknown option -z' });
  });

  it('that lack their value, or have one too many, are refused', () => {
    assert.deepEqual(read(['--timeout']), { error: '--timeout needs a value: --timeout <duration>' });
    assert.deepEqual(read(['--follow=yes']), { error: '--follow takes no value' });
  });
});
