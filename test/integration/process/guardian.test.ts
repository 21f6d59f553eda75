import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodePlan } from '../../../server/process/guardian.ts';

const PROGRAM = fileURLToPath(new URL('../../support/programs/guardianInShortage.ts', import.meta.url));

describe('launching a guardian', () => {
  it('was given up for good where there was no descriptor for it once', () => {
    const script = 'ulimit -n 64 && exec "$0" "$1"';
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script, process.execPath, PROGRAM], { encoding: 'utf8' });
    assert.equal(stdout, '[false,true]\n', stderr);
  });

  it('was tried again and again with more words than the native one takes', () => {
    const env = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`V${index}`, '']));
    const plan = { delaysMs: [], losses: 0, argv: ['/x'] as const, env, logPath: '/l', recordPath: '/r' };
    assert.equal(encodePlan('native', { ...plan, recordText: { before: '', after: '' } }), null);
  });
});
