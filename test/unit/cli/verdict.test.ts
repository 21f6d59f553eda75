import assert from 'node:assert/strict';
import { allAtRest, isStill, judgeUp, othersRunning } from '../../../server/cli/up/verdict.ts';
import { serviceStatus, statusResult } from '../../support/serviceStatus.ts';

const WANTED = new Set(['web', 'db']);

describe('where an up stands', () => {
  it('is coming while something starts, waits for a dependency or backs off', () => {
    for (const change of [
      { state: 'starting' },
      { state: 'backoff' },
      { state: 'stopped', detail: 'waits for db' },
    ] as const) {
      const status = statusResult([serviceStatus('web', change), serviceStatus('db', { state: 'ready' })]);
      assert.deepEqual(judgeUp(status, WANTED), { kind: 'coming' });
    }
  });

  it('is settled and good when all are ready, warned of or completed', () => {
    const status = statusResult([
      serviceStatus('web', { state: 'degraded' }),
      serviceStatus('db', { state: 'completed' }),
      serviceStatus('other', { state: 'starting' }),
    ]);
    assert.deepEqual(judgeUp(status, WANTED), { kind: 'settled', notReady: [] });
  });

  it('is settled and names what has failed or cannot start', () => {
    const web = serviceStatus('web', { blockedBy: 'db', detail: 'blocked: db has failed' });
    const db = serviceStatus('db', { state: 'failed' });
    assert.deepEqual(judgeUp(statusResult([web, db]), WANTED), { kind: 'settled', notReady: [web, db] });
    assert.equal(allAtRest(statusResult([web, db]), WANTED), true);
  });

  it('is still when something waits and nothing moves', () => {
    const waiting = serviceStatus('web', { detail: 'waits for db' });
    assert.equal(isStill(statusResult([waiting])), true);
    assert.equal(isStill(statusResult([waiting, serviceStatus('db', { state: 'starting' })])), false);
  });

  it('knows of others that run, so that Ctrl-C leaves them alone', () => {
    assert.equal(othersRunning(statusResult([serviceStatus('other', { state: 'ready' })]), WANTED), true);
    assert.equal(othersRunning(statusResult([serviceStatus('other', { state: 'failed' })]), WANTED), false);
  });
});
