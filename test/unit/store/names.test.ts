import assert from 'node:assert/strict';
import { decodeName, encodeName, shortHash } from '../../../server/store/names.ts';
import { exitRecordPath, logPath } from '../../../server/store/paths.ts';

describe('file names for what people named', () => {
  it('leaves plain names as they are', () => {
    assert.equal(logPath('/s', 'dev-server_2'), '/s/logs/dev-server_2.log');
  });

  it('keeps names apart that a case-insensitive file system would take for one', () => {
    assert.notEqual(encodeName('Web').toLowerCase(), encodeName('web').toLowerCase());
    assert.notEqual(encodeName('wEb').toLowerCase(), encodeName('weB').toLowerCase());
  });

  it('makes one plain file name of any name, and the name of it again', () => {
    for (const name of [
      'web',
      'Web',
      'api/dev',
      'build:prod',
      '.hidden',
      'con',
      'nul.txt',
      'end.',
      'a%2fb',
      'größe',
      'LPT1',
    ]) {
      const encoded = encodeName(name);
      assert.match(encoded, /^[a-z0-9%_-][a-z0-9%._-]*$/, name);
      assert.doesNotMatch(encoded, /\.$|^(con|nul|lpt1)(\.|$)/, name);
      assert.equal(decodeName(encoded), name);
    }
  });

  it('gives different files to names that differ, however long', () => {
    const names = [
      'a'.repeat(400),
      `${'a'.repeat(400)}b`,
      'a/b',
      'a:b',
      'a%2fb',
      'a-b',
      `${'A'.repeat(100)}`,
      `${'a'.repeat(100)}`,
    ];
    const encoded = names.map(encodeName);
    assert.equal(new Set(encoded).size, names.length);
    assert.ok(encoded.every((one) => one.length <= 150));
  });

  it('gives every incarnation of every key its own exit record', () => {
    const paths = [
      exitRecordPath('/s', 'service/a', 12),
      exitRecordPath('/s', 'service/a-1', 2),
      exitRecordPath('/s', 'service/a', 1),
      exitRecordPath('/s', 'task/r/a', 12),
    ];
    assert.equal(new Set(paths).size, paths.length);
  });

  it('takes nothing for an encoded name that it never makes', () => {
    for (const text of ['Web', '%', 'a%2Fb', 'a/b', encodeName('x'.repeat(400))])
      assert.equal(decodeName(text), null, text);
  });

  it('hashes to 64 bits without a collision among a hundred thousand paths', () => {
    const seen = new Set<string>();
    for (let at = 0; at < 100_000; at += 1) seen.add(shortHash(`/home/user/project-${at}\0${at % 7}:${at}`));
    assert.equal(seen.size, 100_000);
    assert.match(shortHash('x'), /^[0-9a-f]{16}$/);
  });
});
