import assert from 'node:assert/strict';
import { checkFileSize, MOST_LINES } from '../../check/fileSize.ts';

describe('file size check', () => {
  for (const [path, most] of [
    ['server/x.ts', MOST_LINES.source],
    ['test/unit/x.test.ts', MOST_LINES.test],
  ] as const) {
    it(`accepts ${path} with ${most} lines`, () => {
      assert.deepEqual(checkFileSize([{ path, text: 'x\n'.repeat(most) }]), []);
    });

    it(`fails on a planted ${path} with one line more`, () => {
      assert.equal(checkFileSize([{ path, text: 'x\n'.repeat(most + 1) }]).length, 1);
    });
  }
});
