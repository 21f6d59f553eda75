import assert from 'node:assert/strict';
import type { Liveness } from '../../../server/process/types.ts';
import { HEARTBEAT_FRESH_MS, judge, type Verdict } from '../../../server/reconcile/verdict.ts';

const FRESH = 1_000;
const OLD = HEARTBEAT_FRESH_MS;
const table: readonly [Liveness, number | null, boolean, Verdict][] = [
  ['alive', FRESH, false, 'alive'],
  ['alive', OLD, false, 'alive'],
  ['alive', null, false, 'alive'],
  ['gone', FRESH, true, 'finished'],
  ['gone', OLD, true, 'finished'],
  ['gone', FRESH, false, 'dead'],
  ['gone', null, false, 'dead'],
  ['zombie', FRESH, true, 'finished'],
  ['zombie', FRESH, false, 'dead'],
  ['recycled', FRESH, true, 'finished'],
  ['recycled', FRESH, false, 'dead'],
  ['unknown', FRESH, false, 'presumed_alive'],
  ['unknown', OLD - 1, false, 'presumed_alive'],
  ['unknown', OLD, false, 'dead'],
  ['unknown', null, false, 'dead'],
  ['unknown', -1, false, 'dead'],
  ['unknown', FRESH, true, 'finished'],
];

describe('reconcile verdict', () => {
  for (const [identity, heartbeatAgeMs, exitRecord, verdict] of table) {
    const beat = heartbeatAgeMs === null ? 'no heartbeat' : `a heartbeat of ${heartbeatAgeMs} ms`;
    it(`${identity} with ${beat} and ${exitRecord ? 'an' : 'no'} exit record is ${verdict}`, () => {
      assert.equal(judge({ identity, heartbeatAgeMs, exitRecord }), verdict);
    });
  }
});
