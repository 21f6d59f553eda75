import assert from 'node:assert/strict';
import type { WriteResult } from '../../../server/store/ioFailure.ts';
import { WriteHealth } from '../../../server/store/writeHealth.ts';

const OK: WriteResult = { ok: true };

function full(code = 'ENOSPC'): WriteResult {
  return { ok: false, failure: { reason: 'disk_full', code, path: '/s/a', detail: `${code}: no` } };
}

describe('the health of writing', () => {
  function told(...writes: readonly [file: string, result: WriteResult, at?: number][]): string[] {
    const news: string[] = [];
    let now = 0;
    const health = new WriteHealth(
      ({ event, fields }) => news.push(`${event} ${fields.file} ${fields.code} ${fields.failedMs ?? ''}`.trim()),
      () => now,
    );
    for (const [file, result, at = 0] of writes) {
      now = at;
      health.note(file, result);
    }
    return news;
  }

  it('is no news while all goes well', () => assert.deepEqual(told(['a', OK], ['a', OK]), []));

  it('tells a failure once, and its end with how long it lasted', () =>
    assert.deepEqual(told(['a', full(), 100], ['a', full(), 200], ['a', OK, 1300], ['a', OK]), [
      'health_warn a ENOSPC',
      'health_recovered a ENOSPC 1200',
    ]));

  it('keeps files apart', () =>
    assert.deepEqual(told(['a', full()], ['b', OK], ['b', full()], ['a', OK]), [
      'health_warn a ENOSPC',
      'health_warn b ENOSPC',
      'health_recovered a ENOSPC 0',
    ]));

  it('tells another cause of the same trouble, and the whole time in the end', () =>
    assert.deepEqual(told(['a', full(), 0], ['a', full('EDQUOT'), 10], ['a', OK, 50]), [
      'health_warn a ENOSPC',
      'health_warn a EDQUOT',
      'health_recovered a EDQUOT 50',
    ]));
});
