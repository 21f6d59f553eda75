import assert from 'node:assert/strict';
import { checkWriting, OTHER_WRITERS, WRITER } from '../../check/writing.ts';

function findings(path: string, text: string): number[] {
  return checkWriting([{ path, text }]).map(({ line }) => line);
}

describe('writing check', () => {
  for (const text of [
    "import { readFileSync, writeFileSync } from 'node:fs';\nwriteFileSync('a', '');",
    "import { rename } from 'node:fs/promises';\nrename('a', 'b');",
    "import { appendFileSync as add } from 'fs';\nadd('a', '');",
    "import fs from 'node:fs';\nfs.renameSync('a', 'b');",
    "import * as fs from 'node:fs';\nfs.promises.writeFile('a', '');",
    "import { openSync } from 'node:fs';\nopenSync('a', 'r+');",
    "import { constants, openSync } from 'node:fs';\nopenSync('a', constants.O_WRONLY | constants.O_CREAT);",
  ]) {
    it(`fails on ${JSON.stringify(text)}`, () => assert.equal(findings('server/store/x.ts', text).length, 1));
  }

  for (const text of [
    "import { readFileSync, type WriteStream } from 'node:fs';\nreadFileSync('a');",
    "import { openSync } from 'node:fs';\nopenSync('a', 'r');",
    "import { constants, openSync } from 'node:fs';\nopenSync('a', constants.O_RDONLY | constants.O_NOFOLLOW);",
    "import { replaceFile } from '../process/disk.ts';\nreplaceFile('a', 'b');",
    "import { rmSync, unlinkSync, mkdirSync } from 'node:fs';\nrmSync('a'); unlinkSync('b'); mkdirSync('c');",
  ]) {
    it(`accepts ${JSON.stringify(text)}`, () => assert.deepEqual(findings('server/store/x.ts', text), []));
  }

  it('accepts the one writer and those that are listed with a reason', () => {
    for (const path of [WRITER, ...Object.keys(OTHER_WRITERS)])
      assert.deepEqual(findings(path, "import { renameSync } from 'node:fs';\nrenameSync('a', 'b');"), []);
  });
});
