import assert from 'node:assert/strict';
import type { Liveness } from '../../../server/process/types.ts';
import { LastHeartbeat } from '../../../server/reconcile/lastHeartbeat.ts';
import {
  fromHere,
  HEARTBEAT_FRESH_MS,
  heartbeatEvidence,
  judge,
  type Sight,
  type Verdict,
} from '../../../server/reconcile/verdict.ts';
import type { Heartbeat } from '../../../server/store/types.ts';

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

describe('what a recorded pid tells from where it is looked at', () => {
  const HERE = { hostname: 'here', pidNamespace: 'pid:[1]' };
  const sight = (change: Partial<Sight>): Sight => ({
    recorded: HERE,
    recordedBootId: 'this boot',
    here: HERE,
    bootId: 'this boot',
    ...change,
  });
  const cases: [string, Partial<Sight>, Liveness, Liveness][] = [
    ['here: what is seen', {}, 'gone', 'gone'],
    ['nowhere in particular: what is seen', { recorded: null }, 'alive', 'alive'],
    ['an earlier boot of this machine: that it is over', { recordedBootId: 'another' }, 'recycled', 'recycled'],
    [
      'another machine: nothing',
      { recorded: { ...HERE, hostname: 'there' }, recordedBootId: 'another' },
      'recycled',
      'unknown',
    ],
    [
      'another name of this machine in this boot: what is seen',
      { recorded: { ...HERE, hostname: 'renamed' } },
      'alive',
      'alive',
    ],
    [
      'another pid namespace: nothing, even where a process has the pid',
      { recorded: { ...HERE, pidNamespace: 'pid:[2]' } },
      'gone',
      'unknown',
    ],
    [
      'a system without pid namespaces: what is seen',
      { recorded: { ...HERE, pidNamespace: null }, here: { ...HERE, pidNamespace: null } },
      'gone',
      'gone',
    ],
  ];
  for (const [where, change, seen, expected] of cases) {
    it(`recorded at ${where}`, () => assert.equal(fromHere(seen, sight(change)), expected));
  }
});

describe('the last heartbeat of an earlier supervisor', () => {
  const beat = (at: number): Heartbeat => ({
    pid: 7,
    startTime: '1',
    at,
    uptimeMs: 0,
    eventLoopDelayMs: 0,
    memory: { heapUsedMb: 0, rssMb: 0 },
    services: {},
    runs: [],
  });

  it('grows old by the steady clock, whatever the clock on the wall does', () => {
    let steady = 500;
    const last = new LastHeartbeat(beat(1_000_000), { wall: 1_010_000, steady, bootId: 'boot' }, () => steady);
    assert.equal(last.ageMs, 10_000);
    steady += HEARTBEAT_FRESH_MS;
    assert.equal(last.ageMs, 10_000 + HEARTBEAT_FRESH_MS);
  });

  it('from the future never comes of age', () => {
    let steady = 0;
    const last = new LastHeartbeat(beat(2_000_000), { wall: 1_000_000, steady, bootId: 'boot' }, () => steady);
    steady += 2_000_000;
    assert.equal(judge({ identity: 'unknown', heartbeatAgeMs: last.ageMs, exitRecord: false }), 'dead');
  });

  it('is kept as evidence of a death, with a note when it was fresh (R84)', () => {
    const fresh = heartbeatEvidence(beat(1_000), 5_000);
    const old = heartbeatEvidence(beat(1_000), HEARTBEAT_FRESH_MS);
    assert.deepEqual([fresh?.pid, fresh?.at, fresh?.ageMs, typeof fresh?.note], [7, 1_000, 5_000, 'string']);
    assert.deepEqual(old, { pid: 7, at: 1_000, ageMs: HEARTBEAT_FRESH_MS });
    assert.equal(heartbeatEvidence(null, null), null);
  });
});
