import assert from 'node:assert/strict';
import { formatDiagnostic } from '../../../server/config/format.ts';
import type { ConfigDiagnostic } from '../../../server/config/model.ts';

const DIAGNOSTIC: ConfigDiagnostic = {
  severity: 'error',
  code: 'wrong-value',
  file: 'coppice.yaml',
  line: 3,
  column: 14,
  offset: 40,
  length: 5,
  path: 'services.a.restart',
  message: 'expected `always`, found "alway"',
  suggestion: 'always',
  sourceLine: '    restart: alway',
};

describe('formatDiagnostic', () => {
  it('gives the place, the words, the line and a caret below the place', () => {
    assert.equal(
      formatDiagnostic(DIAGNOSTIC),
      [
        'coppice.yaml:3:14: error: expected `always`, found "alway" (did you mean `always`?)',
        '      restart: alway',
        '               ^~~~~',
      ].join('\n'),
    );
  });
  it('offers an addition as something to try', () => {
    const text = formatDiagnostic({ ...DIAGNOSTIC, code: 'shell-syntax', message: 'm', suggestion: 'shell: true' });
    assert.match(text, /: m \(try `shell: true`\)\n/);
  });
  it('shows no line where there is none', () => {
    const text = formatDiagnostic({ ...DIAGNOSTIC, sourceLine: null, suggestion: null, message: 'm' });
    assert.equal(text, 'coppice.yaml:3:14: error: m');
  });
  it('keeps the caret in place after tabs and wide characters', () => {
    const text = formatDiagnostic({ ...DIAGNOSTIC, sourceLine: '\t日: x', column: 5, length: 1 });
    assert.equal(text.split('\n')[2], '  \t    ^');
  });
  it('cuts a long line around the place', () => {
    const text = formatDiagnostic({
      ...DIAGNOSTIC,
      sourceLine: `${'a'.repeat(500)}X${'b'.repeat(500)}`,
      column: 501,
      length: 1,
    });
    const [, line = '', caret = ''] = text.split('\n');
    assert.ok(line.length < 120);
    assert.equal(line[caret.indexOf('^')], 'X');
  });
  it('does not let a file steer the terminal', () => {
    const text = formatDiagnostic({
      ...DIAGNOSTIC,
      sourceLine: 'a: \u001B[2J\u009B31m\u202E',
      message: 'found \u001B]0;x\u0007',
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001F\u007F-\u009F\u202E]/);
  });
});
