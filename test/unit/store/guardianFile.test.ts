import assert from 'node:assert/strict';
import { type GuardianFile, gaveUpText, parseGuardianFile } from '../../../server/store/guardianFile.ts';

const FILE: GuardianFile = {
  guardian: { pid: 7, startTime: '70', bootId: 'boot' },
  supervisor: { pid: 5, startTime: '50' },
  argv: ['/node', '/dist/supervisor.cjs'],
  accounting: { crashes: 1 },
};

/** As a guardian writes it. */
function lastWord(middle: string): string {
  const { before, after } = gaveUpText(FILE, 'Look there; `coppice up` starts "one".');
  return `${before}${middle}${after}`;
}

describe('guardian.json', () => {
  it('is JSON with the last word of a guardian between its two halves, and names no guardian then', () => {
    const read = parseGuardianFile(lastWord('"losses":8,"at":1700000000000,"code":1,"signal":null,"missing":null'));
    assert.deepEqual(read, {
      guardian: null,
      supervisor: FILE.supervisor,
      argv: FILE.argv,
      accounting: FILE.accounting,
      gaveUp: {
        at: 1_700_000_000_000,
        losses: 8,
        text: 'the supervisor was lost 8 times; the last one ended with exit code 1. Look there; `coppice up` starts "one".',
      },
    });
  });

  it('says which file is missing', () => {
    const read = parseGuardianFile(lastWord('"losses":8,"at":1,"code":1,"signal":null,"missing":1'));
    assert.match(read?.gaveUp?.text ?? '', /exit code 1; \/dist\/supervisor\.cjs does not exist any more\./);
  });

  it('says by which signal the last one was ended', () => {
    const read = parseGuardianFile(lastWord('"losses":8,"at":1,"code":null,"signal":"SIGKILL","missing":null'));
    assert.match(read?.gaveUp?.text ?? '', /lost 8 times; the last one was ended by SIGKILL\./);
  });

  for (const text of ['', '{', '[]', '{}', '{"pid":7}', '{"supervisor":{"pid":"5","startTime":"50"}}', '\0']) {
    it(`is nothing when it holds ${JSON.stringify(text)}`, () => {
      assert.equal(parseGuardianFile(text), null);
    });
  }

  it('names no guardian without a start time', () => {
    const text = JSON.stringify({ pid: 7, supervisor: FILE.supervisor, argv: 3, accounting: null, gaveUp: 'x' });
    assert.deepEqual(parseGuardianFile(text), {
      guardian: null,
      supervisor: FILE.supervisor,
      argv: [],
      accounting: null,
      gaveUp: null,
    });
  });
});
