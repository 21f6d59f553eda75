import assert from 'node:assert/strict';
import { joinWords, splitWords } from '../../../server/config/words.ts';

describe('splitWords', () => {
  const good: readonly [string, string[]][] = [
    ['vite', ['vite']],
    ['  vite   build ', ['vite', 'build']],
    ['vite --port ${port}', ['vite', '--port', '${port}']],
    [`echo 'a b' "c d"`, ['echo', 'a b', 'c d']],
    [`echo a'b'"c"d`, ['echo', 'abcd']],
    [`echo '' ""`, ['echo', '', '']],
    ['echo a\\ b', ['echo', 'a b']],
    ['echo "a\\"b" "a\\\\b" "a\\nb"', ['echo', 'a"b', 'a\\b', 'a\\nb']],
    [`echo 'a\\b'`, ['echo', 'a\\b']],
    [`echo '$HOME | *'`, ['echo', '$HOME | *']],
    ['echo "* | > ~"', ['echo', '* | > ~']],
    ['echo a#b #c', ['echo', 'a#b', '#c']],
    ['vite --mode=x A=b', ['vite', '--mode=x', 'A=b']],
    ['echo \\| \\$HOME', ['echo', '|', '$HOME']],
    ['vite \\\n  --port 1\n', ['vite', '--port', '1']],
    ['echo a$ $', ['echo', 'a$', '$']],
    ['echo http://x/?a', ['echo', 'http://x/?a']],
  ];
  for (const [text, words] of good) {
    it(`splits ${JSON.stringify(text)} without a remark`, () => {
      assert.deepEqual(splitWords(text), { words, problems: [] });
    });
  }

  const bad: readonly [string, 'error' | 'warning', number, RegExp][] = [
    ['', 'error', 0, /found an empty text/],
    ['   ', 'error', 0, /found an empty text/],
    ["'' a", 'error', 0, /found an empty word/],
    ["echo 'a", 'error', 5, /quote ' is never closed/],
    ['echo x"a', 'error', 6, /quote " is never closed/],
    ['echo a\\', 'error', 6, /escapes nothing/],
    ['a | b', 'error', 2, /`\|` is an operator/],
    ['a && b', 'error', 2, /`&&` is an operator/],
    ['a||b', 'error', 1, /`\|\|` is an operator/],
    ['a; b', 'error', 1, /`;` is an operator/],
    ['a > b', 'error', 2, /`>` is an operator/],
    ['a >> b', 'error', 2, /`>>` is an operator/],
    ['a < b', 'error', 2, /`<` is an operator/],
    ['a &', 'error', 2, /`&` is an operator/],
    ['(a)', 'error', 0, /`\(` is an operator/],
    ['a $(b)', 'error', 2, /runs a command only in a shell/],
    ['a "$(b)"', 'error', 3, /runs a command only in a shell/],
    ['a `b`', 'error', 2, /runs a command only in a shell/],
    ['a\nb', 'error', 1, /a line break starts a second command/],
    ['A=1 b', 'error', 0, /put it under `env`/],
    ['ls *.ts', 'warning', 3, /`\*` is a pattern/],
    ['ls [ab]', 'warning', 3, /`\[` is a pattern/],
    ['ls $HOME', 'warning', 3, /`\$HOME` is a variable/],
    ['ls "${HOME}/x"', 'warning', 4, /`\$\{HOME\}` is a variable/],
    ['ls ~/x', 'warning', 3, /`~` is expanded only/],
    ['C:\\tools\\a.exe', 'warning', 2, /write paths with `\/`/],
  ];
  for (const [text, severity, index, message] of bad) {
    it(`has an ${severity} at ${index} of ${JSON.stringify(text)}`, () => {
      const [first] = splitWords(text).problems;
      assert.equal(first?.severity, severity);
      assert.equal(first?.index, index);
      assert.match(first?.message ?? '', message);
    });
  }

  it('reports every problem of a text, not only the first', () => {
    const kinds = splitWords('X=1 a | b > "c').problems.map(({ index }) => index);
    assert.deepEqual(kinds, [0, 6, 10, 12]);
  });
});

describe('joinWords', () => {
  const lists: readonly string[][] = [
    ['vite', '--port', '${port}'],
    ['a b', "it's", '"q"', '', '$HOME', '*', '~', 'a\\b', 'x=y', '--k=v', 'é'],
    ['A=b', 'c'],
    ["'", "''", 'a\nb'],
  ];
  for (const words of lists) {
    it(`writes ${JSON.stringify(words)} so that it is read back as the same words`, () => {
      assert.deepEqual(splitWords(joinWords(words)), { words, problems: [] });
    });
  }
});
