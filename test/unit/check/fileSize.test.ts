import assert from 'node:assert/strict';
import { checkFileSize, MOST_LINES } from '../../check/fileSize.ts';

describe('file size check', () => {
  const lines = (count: number): string => 'x\n'.repeat(count);

  it(`accepts a file of ${MOST_LINES} lines`, () => {
    assert.deepEqual(checkFileSize([{ path: 'server/x.ts', text: lines(MOST_LINES) }]), []);
  });

  it('fails on a planted file with one line more', () => {
    assert.equal(checkFileSize([{ path: 'server/x.ts', text: lines(MOST_LINES + 1) }]).length, 1);
  });
});
