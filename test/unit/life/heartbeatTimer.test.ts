import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mock } from 'node:test';
import { HeartbeatTimer } from '../../../server/life/heartbeatTimer.ts';
import type { Claim } from '../../../server/store/claim.ts';
import { HEARTBEAT_PERIOD_MS, readHeartbeat } from '../../../server/store/heartbeat.ts';
import type { WriteResult } from '../../../server/store/ioFailure.ts';
import type { Supervisor } from '../../../server/supervisor.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

describe('the heartbeat of a supervisor', () => {
  let stateDir: string;
  let wrote: WriteResult[];
  let timer: HeartbeatTimer;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 });
    stateDir = temporaryFolder('beat');
    wrote = [];
    const host = { stateDir, now: () => Date.now(), wrote: (_file: string, result: WriteResult) => wrote.push(result) };
    const supervisor = { host, services: new Map(), runs: new Map() } as unknown as Supervisor;
    timer = new HeartbeatTimer(supervisor, { lock: { startTime: '7', bootId: 'boot' } } as unknown as Claim);
    timer.start();
  });

  afterEach(() => {
    timer.stop();
    mock.timers.reset();
  });

  after(removeTemporaryFolders);

  const beatAt = (): number | null => {
    const reading = readHeartbeat(stateDir);
    return reading.kind === 'heartbeat' ? reading.heartbeat.at : null;
  };

  it('is written at once, then every 15 s, and no more once it is stopped', () => {
    const seen = [beatAt()];
    for (const ms of [HEARTBEAT_PERIOD_MS - 1, 1, HEARTBEAT_PERIOD_MS]) {
      mock.timers.tick(ms);
      seen.push(beatAt());
    }
    timer.stop();
    mock.timers.tick(10 * HEARTBEAT_PERIOD_MS);
    seen.push(beatAt());
    assert.deepEqual(seen, [1_000_000, 1_000_000, 1_015_000, 1_030_000, 1_030_000]);
  });

  it('that cannot be written ends nothing, is named each time, and brings no folder back (R88, R89)', () => {
    rmSync(stateDir, { recursive: true });
    mock.timers.tick(2 * HEARTBEAT_PERIOD_MS);
    assert.deepEqual(
      wrote.map((one) => one.ok || one.failure.reason),
      [true, 'missing_folder', 'missing_folder'],
    );
    assert.equal(beatAt(), null);
  });
});
