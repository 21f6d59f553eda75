// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of the files
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDotenv, readEnvironmentFile } from '../../../server/process/dotenv.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const outer: Record<string, string> = { HOME: '/home/u', EMPTY: '' };
const lookup = (name: string): string | undefined => outer[name];

describe('a .env file', () => {
  after(removeTemporaryFolders);

  for (const [what, text, values] of [
    ['plain values', 'A=1\nB_2=two', { A: '1', B_2: 'two' }],
    ['blanks around the sign and at the end', '  A = 1  \n', { A: '1' }],
    ['blanks inside', 'A=one two', { A: 'one two' }],
    ['empty values', 'A=\nB=""\nC=\'\'', { A: '', B: '', C: '' }],
    ['export', 'export A=1', { A: '1' }],
    ['empty lines and comments', '# one\n\n  # two\nA=1 # three\nB=2 #', { A: '1', B: '2' }],
    ['a # that is no comment', 'A=#fff\nB=a#b', { A: '', B: 'a#b' }],
    ['a # in quotes', 'A="#fff" # white\nB=\'#000\'', { A: '#fff', B: '#000' }],
    ['Windows line ends and a byte order mark', '\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    [
      'escapes in double quotes only',
      'A="a\\n\\t\\"b\\"\\\\"\nB=\'a\\n\'\nC=C:\\new',
      { A: 'a\n\t"b"\\', B: 'a\\n', C: 'C:\\new' },
    ],
    [
      'values over several lines',
      'KEY="-----BEGIN\nabc=\n-----END"\nA=1',
      { KEY: '-----BEGIN\nabc=\n-----END', A: '1' },
    ],
    ['quotes within others', 'A="it\'s"\nB=\'say "x"\'\nC=`a"b\'c`', { A: "it's", B: 'say "x"', C: 'a"b\'c' }],
    ['quotes in the middle', 'A=a"b"c', { A: 'a"b"c' }],
    ['an equals sign in the value', 'URL=http://h/?a=b&c=d', { URL: 'http://h/?a=b&c=d' }],
    ['the last of two', 'A=1\nA=2', { A: '2' }],
    ['variables', 'A=1\nB=${A}2\nC="${HOME}/x"', { A: '1', B: '12', C: '/home/u/x' }],
    ['what to take instead', 'A=${NOPE:-x}\nB=${EMPTY:-y}\nC=${NOPE:-}', { A: 'x', B: 'y', C: '' }],
    ['an empty variable', 'A=${EMPTY}', { A: '' }],
    [
      'dollars that are text',
      "A=pa$$word\nB=$HOME\nC=\\${HOME}\nD='${HOME}'",
      { A: 'pa$$word', B: '$HOME', C: '${HOME}', D: '${HOME}' },
    ],
    ['commands as text', 'A=$(rm -rf x)\nB=`date`', { A: '$(rm -rf x)', B: 'date' }],
    ['nothing', '', {}],
  ] as const) {
    it(`is read: ${what}`, () => {
      const result = parseDotenv(text, lookup);
      assert.ok(result.ok, result.ok ? '' : result.message);
      assert.deepEqual(Object.fromEntries(result.values), values);
    });
  }

  for (const [what, text, line, message] of [
    ['a line without a sign', 'A=1\nnonsense here', 2, 'line 2: expected NAME=value'],
    ['only a name', 'A=1\n\nNAME', 3, 'line 3: expected NAME=value, found only a name'],
    ['a colon', 'NAME: x', 1, 'line 1: expected NAME=value, found a colon'],
    ['a name that begins with a digit', '1A=x', 1, 'line 1: expected NAME=value'],
    ['a quote that is never closed', 'A=1\nB="x\nC=3', 2, 'line 2: the quote " is never closed'],
    ['text after a quote', 'A="x" y', 1, 'line 1: only a comment may follow the closing "'],
    ['a line after one of several lines', 'A="x\ny"\nbad line', 3, 'line 3: expected NAME=value'],
    ['a variable that is not set', 'A=${NOPE}', 1, 'line 1: ${NOPE} is not set; write ${NOPE:-} where it may be empty'],
    ['a NUL', 'A=a\0b', 1, 'line 1: a value cannot hold a NUL character'],
  ] as const) {
    it(`is refused with its line: ${what}`, () => {
      assert.deepEqual(parseDotenv(text, lookup), { ok: false, line, message });
    });
  }

  it('is refused when it cannot be read as text', () => {
    const folder = temporaryFolder('dotenv');
    const file = join(folder, 'latin1');
    writeFileSync(file, Buffer.from([0x41, 0x3d, 0xe4]));
    mkdirSync(join(folder, 'folder'));
    const messages = [file, join(folder, 'folder'), join(folder, 'absent')].map((path) => {
      const result = readEnvironmentFile(path, lookup);
      return result.ok ? 'read' : result.message;
    });
    assert.deepEqual(messages, ['is not UTF-8 text', 'is a folder', 'does not exist']);
  });
});
