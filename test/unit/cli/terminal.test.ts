import assert from 'node:assert/strict';
import { wantsColours } from '../../../server/cli/terminal.ts';
import { fakeTerminal } from '../../support/fakeTerminal.ts';

describe('colours', () => {
  const cases: readonly [boolean, NodeJS.ProcessEnv, boolean][] = [
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
  ];
  for (const [tty, environment, expected] of cases) {
    it(`are ${expected ? 'on' : 'off'} on ${tty ? 'a terminal' : 'a pipe'} with ${JSON.stringify(environment)}`, () => {
      assert.equal(wantsColours(tty, environment), expected);
    });
  }
});

describe('a reader that leaves', () => {
  it('ends printing quietly', () => {
    const { terminal, stdout } = fakeTerminal();
    let told = 0;
    terminal.onBroken(() => {
      told += 1;
    });
    terminal.print('one');
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    terminal.print('two');
    assert.equal(stdout.text, 'one\n');
    assert.equal(told, 1);
  });
});
