import assert from 'node:assert/strict';
import type { WriteResult } from '../../../server/store/ioFailure.ts';
import { WriteHealth } from '../../../server/store/writeHealth.ts';
import { until } from '../../support/until.ts';

const OK: WriteResult = { ok: true };

function full(code = 'ENOSPC'): WriteResult {
  return { ok: false, failure: { reason: 'disk_full', code, path: '/s/a', detail: `${code}: no` } };
}

describe('the health of writing', () => {
  function told(...writes: readonly [file: string, result: WriteResult, at?: number][]): string[] {
    const news: string[] = [];
    let now = 0;
    const health = new WriteHealth({
      tell: ({ event, fields }) =>
        void news.push(`${event} ${fields.file} ${fields.code} ${fields.failedMs ?? ''}`.trim()),
      now: () => now,
    });
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

  describe('what is to be saved', () => {
    function saver(mayWrite: () => boolean = () => true): WriteHealth {
      return new WriteHealth({ tell: () => {}, mayWrite, retryMs: 1 });
    }

    it('is written again until that works', async () => {
      let tries = 0;
      saver().save('a', () => {
        tries += 1;
        return tries < 4 ? full() : OK;
      });
      await until('four tries', () => tries === 4);
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(tries, 4);
    });

    it('gives way to a newer content of the same file', async () => {
      const written: string[] = [];
      const health = saver();
      health.save('a', () => (written.push('old'), full()));
      health.save('a', () => (written.push('new'), written.length < 4 ? full() : OK));
      await until('the newer one', () => written.length === 4);
      assert.deepEqual(written, ['old', 'new', 'new', 'new']);
    });

    it('is not tried again where the folder is gone, or the state is no longer ours', async () => {
      let tries = 0;
      saver().save('a', () => {
        tries += 1;
        return { ok: false, failure: { reason: 'missing_folder', code: 'ENOENT', path: '/s/a', detail: '' } };
      });
      saver(() => false).save('b', () => {
        tries += 1;
        return full();
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(tries, 2);
    });
  });
});
