import assert from 'node:assert/strict';
import { crop, LivePanel, repaint } from '../../../server/cli/live.ts';
import { fakeTerminal } from '../../support/fakeTerminal.ts';

/** A terminal of `columns`, enough of one for what `repaint` writes. */
function screen(columns: number): { write(text: string): void; lines(): string[] } {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  return {
    write(text) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what is read
      for (const [token] of text.matchAll(/\u001b\[\??(\d*)([A-Za-z])|\n|\r|[^\u001b\n\r]/g)) {
        if (token === '\n') {
          row += 1;
          column = 0;
          rows[row] ??= '';
        } else if (token === '\r') column = 0;
        else if (token.startsWith('\u001b')) {
          if (token.endsWith('A')) row -= Number(token.slice(2, -1));
          if (token.endsWith('K')) rows[row] = (rows[row] ?? '').slice(0, column);
          if (token.endsWith('J')) {
            rows[row] = (rows[row] ?? '').slice(0, column);
            rows.length = row + 1;
          }
        } else {
          if (column === columns) {
            row += 1;
            column = 0;
            rows[row] ??= '';
          }
          const line = (rows[row] ?? '').padEnd(column);
          rows[row] = line.slice(0, column) + token + line.slice(column + 1);
          column += 1;
        }
      }
    },
    lines: () => rows.slice(0, -1),
  };
}

describe('a repainted block', () => {
  it('shows the last state, whatever the one before was', () => {
    const terminal = screen(40);
    const states = [['a', 'b'], ['a', 'longer b', 'c'], ['x'], [], ['y', 'z']];
    let painted: string[] = [];
    for (const state of states) {
      terminal.write(repaint(painted, state, 40));
      painted = state;
      assert.deepEqual(terminal.lines(), state);
    }
  });

  it('leaves a message that comes meanwhile standing above it, and later ones to stderr', () => {
    const { terminal, stdout, stderr } = fakeTerminal({}, { tty: true, columns: 40 });
    const panel = new LivePanel(terminal, () => ['web ready', 'Ctrl-C stops']);
    terminal.say('first message');
    terminal.say('second message');
    panel.end();
    terminal.say('after it');
    const shown = screen(40);
    shown.write(stdout.text);
    assert.deepEqual(shown.lines(), ['first message', 'second message', 'web ready', 'Ctrl-C stops']);
    assert.equal(stderr.text, 'after it\n');
  });

  it('does not write a line again that stays as it is', () => {
    assert.doesNotMatch(repaint(['same', 'old'], ['same', 'new'], 40), /same/);
  });

  it('is cleared as a whole when the terminal has become so narrow that its lines wrapped', () => {
    const before = ['0123456789', 'ab'];
    assert.ok(repaint(before, ['01234', 'ab'], 5).startsWith('\u001b[?2026h\u001b[3A\r\u001b[J01234'));
  });

  it('is cropped to the height of the terminal, and says so', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const cropped = crop(lines, 10);
    assert.equal(cropped.length, 9);
    assert.match(cropped.at(-1) ?? '', /22 more lines/);
  });
});
