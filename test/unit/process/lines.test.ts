import assert from 'node:assert/strict';
import { type Line, LineSplitter, visibleLines } from '../../../server/process/output/lineSplitter.ts';
import { stripAnsi } from '../../../server/process/output/stripAnsi.ts';

/** All lines of `text` when it comes in chunks of `size` bytes. */
function split(text: string | Buffer, size = Number.POSITIVE_INFINITY, cap?: number): Line[] {
  const splitter = new LineSplitter(cap);
  const bytes = Buffer.from(text as string);
  const lines: Line[] = [];
  const step = Math.min(size, Math.max(1, bytes.length));
  for (let at = 0; at < bytes.length; at += step) lines.push(...splitter.push(bytes.subarray(at, at + step)));
  return [...lines, ...splitter.flush()];
}
const texts = (lines: readonly Line[]) => lines.map(({ text }) => text);

describe('LineSplitter', () => {
  it('takes LF and CRLF for the end of a line', () => {
    assert.deepEqual(split('one\ntwo\r\n\nlast'), [
      { text: 'one', end: 'newline' },
      { text: 'two', end: 'newline' },
      { text: '', end: 'newline' },
      { text: 'last', end: 'flush' },
    ]);
  });

  it('marks what a lone CR overwrites', () => {
    assert.deepEqual(split('10%\r100%\n'), [
      { text: '10%', end: 'overwritten' },
      { text: '100%', end: 'newline' },
    ]);
  });

  for (const size of [1, 2, 3, 5, 7]) {
    it(`gives the same lines when the output comes in chunks of ${size} bytes`, () => {
      const text = 'früh ☕ spät 🌲\r\nund\rweiter\n\r\n🌲🌲🌲\r';
      assert.deepEqual(split(text, size), split(text));
    });
  }

  it('keeps a character together that two chunks cut apart', () => {
    assert.deepEqual(texts(split('🌲 ü', 1)), ['🌲 ü']);
  });

  it('waits with a CR at the end of a chunk until it knows whether an LF follows', () => {
    const splitter = new LineSplitter();
    assert.deepEqual(splitter.push(Buffer.from('one\r')), []);
    assert.deepEqual(splitter.push(Buffer.from('\ntwo')), [{ text: 'one', end: 'newline' }]);
  });

  it('shows bytes that are no UTF-8 without losing the rest of the line', () => {
    assert.deepEqual(texts(split(Buffer.from([0x61, 0xff, 0x62, 0x0a]))), ['a\ufffdb']);
  });

  it('gives a line over the cap in pieces, and says so', () => {
    assert.deepEqual(split('abcdefgh\nx\n', Number.POSITIVE_INFINITY, 3), [
      { text: 'abc', end: 'cap' },
      { text: 'def', end: 'cap' },
      { text: 'gh', end: 'newline' },
      { text: 'x', end: 'newline' },
    ]);
  });

  it('does not wait for the end of a line over the cap (R46)', () => {
    const splitter = new LineSplitter(1024);
    assert.equal(splitter.push(Buffer.alloc(10_000, 'a')).length, 9);
    assert.ok(splitter.pending.length <= 1024);
  });

  it('cuts no pair of surrogates at the cap', () => {
    const lines = split('a🌲🌲🌲🌲\n', Number.POSITIVE_INFINITY, 4);
    assert.equal(texts(lines).join(''), 'a🌲🌲🌲🌲');
    assert.ok(texts(lines).every((text) => Buffer.from(text).toString() === text));
  });

  it('shows the text that has no ending yet', () => {
    const splitter = new LineSplitter();
    splitter.push(Buffer.from('done\nwaiting'));
    assert.equal(splitter.pending, 'waiting');
  });

  it('is empty after a flush', () => {
    const splitter = new LineSplitter();
    splitter.push(Buffer.from('half'));
    splitter.flush();
    assert.deepEqual(splitter.flush(), []);
  });

  it('takes time in proportion to the output, also when a progress bar prints nothing but CR', () => {
    const bar = Buffer.from('1%\r'.repeat(300_000));
    const began = performance.now();
    assert.equal(new LineSplitter().push(bar).length, 299_999);
    assert.ok(performance.now() - began < 2000);
  });
});

describe('visibleLines', () => {
  it('leaves of a progress bar what stands in the end', () => {
    assert.deepEqual(visibleLines(split('10%\r50%\r100%\nnext\n')), ['100%', 'next']);
  });
  it('lets the text stand that ends in CR CR LF', () => {
    assert.deepEqual(visibleLines(split('text\r\r\nnext\n')), ['text', 'next']);
  });
  it('shows a bar that still runs', () => {
    assert.deepEqual(visibleLines(split('one\n10%\r50%\r')), ['one', '50%']);
  });
  it('keeps empty lines', () => {
    assert.deepEqual(visibleLines(split('a\n\nb\n')), ['a', '', 'b']);
  });
  it('shows the first piece of a line over the cap, as one line', () => {
    assert.deepEqual(visibleLines(split('abcdefgh\nx\n', Number.POSITIVE_INFINITY, 3)), ['abc', 'x']);
  });
});

describe('stripAnsi', () => {
  const cases: readonly [string, string, string][] = [
    [
      'colours',
      '\x1b[1m\x1b[38;5;10mLocal\x1b[22m:\x1b[0m http://localhost:\x1b[1m5173\x1b[0m/',
      'Local: http://localhost:5173/',
    ],
    ['cursor movement', '\x1b[2K\x1b[1Gready\x1b[?25h', 'ready'],
    ['a title', '\x1b]0;npm run dev\x07ready', 'ready'],
    ['a link, whose text stays', '\x1b]8;;http://x.y/\x1b\\docs\x1b]8;;\x1b\\', 'docs'],
    ['a device control string', '\x1bP1$r0m\x1b\\ready', 'ready'],
    ['a short escape', '\x1b(Bready\x1bc', 'ready'],
    ['the one-byte introducer', '\x9b31mready', 'ready'],
    ['a title that is never ended, up to its line end', '\x1b]0;title\nready', '\nready'],
    ['a sequence that is cut off', 'ready\x1b[3', 'ready'],
    ['nothing from plain text', 'a[0m]', 'a[0m]'],
  ];
  for (const [what, text, plain] of cases) {
    it(`removes ${what}`, () => {
      assert.equal(stripAnsi(text), plain);
    });
  }
  it('takes time in proportion to the text, also on hostile text', () => {
    const began = performance.now();
    stripAnsi('\x1b]'.repeat(100_000) + '\x1b['.repeat(100_000) + '0;'.repeat(100_000));
    assert.ok(performance.now() - began < 2000);
  });
});
