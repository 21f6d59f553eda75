import assert from 'node:assert/strict';
import { HEARTBEAT_STALE_MS, heartbeatVerdict, parseHeartbeat } from '../../../server/store/heartbeat.ts';
import type { Heartbeat } from '../../../server/store/types.ts';

const NOW = 1_800_000_000_000;

function beat(at: number): Heartbeat {
  const memory = { heapUsedMb: 20, rssMb: 60 };
  return {
    pid: 1,
    startTime: '5',
    at,
    uptimeMs: 1000,
    eventLoopDelayMs: 0,
    memory,
    services: { ready: 2 },
    runs: ['r1'],
  };
}

describe('a heartbeat', () => {
  it('is fresh up to five minutes', () => {
    assert.equal(heartbeatVerdict(beat(NOW), NOW), 'fresh');
    assert.equal(heartbeatVerdict(beat(NOW - HEARTBEAT_STALE_MS + 1), NOW), 'fresh');
    assert.equal(heartbeatVerdict(beat(NOW - HEARTBEAT_STALE_MS), NOW), 'stale');
  });

  it('from the future is not fresh, beyond what two clocks may differ (R87)', () => {
    assert.equal(heartbeatVerdict(beat(NOW + 10_000), NOW), 'fresh');
    assert.equal(heartbeatVerdict(beat(NOW + 60_000), NOW), 'future');
  });

  it('is read back as it was written', () => {
    assert.deepEqual(parseHeartbeat(JSON.stringify(beat(NOW))), beat(NOW));
  });

  it('is none when torn or of another shape', () => {
    const text = JSON.stringify(beat(NOW));
    for (let length = 0; length < text.length; length += 1) assert.equal(parseHeartbeat(text.slice(0, length)), null);
    for (const other of ['[]', 'null', '{"pid":"1","startTime":"5","at":1}', '{"pid":1,"startTime":5,"at":1}']) {
      assert.equal(parseHeartbeat(other), null);
    }
  });
});
