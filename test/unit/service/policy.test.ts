import assert from 'node:assert/strict';
import { DrivenPolicy } from './drivenPolicy.ts';

describe('the service policy: a crash', () => {
  it('reaps the whole tree before anything else (R38)', () => {
    assert.deepEqual(new DrivenPolicy().ready().exit(1).asked, ['unwatch', 'reap']);
  });

  it('arms the respawn once the tree is proven empty, with the delay counted from the exit', () => {
    const policy = new DrivenPolicy().ready().exit(1).wait(300).emptied();
    const exitedAt = policy.now - 300;
    assert.deepEqual(policy.actions, [{ type: 'arm', timer: 'respawn', at: exitedAt + 1000, incarnation: 1 }]);
  });

  it('spawns at once when reaping took as long as the delay', () => {
    assert.deepEqual(new DrivenPolicy().ready().exit(1).wait(1000).emptied().asked, ['spawn']);
  });

  it('spawns at once when no delay is set', () => {
    const policy = new DrivenPolicy({ backoff: { initialMs: 0, maxMs: 0 } });
    assert.deepEqual(policy.ready().exit(1).emptied().asked, ['spawn']);
  });

  it('is an exit by a signal, with no code (R55)', () => {
    const policy = new DrivenPolicy({ policy: 'always' }).ready();
    policy.its('exited', { status: { code: null, signal: 'SIGTERM' } });
    assert.equal(policy.state.accounting.crashes, 1);
  });

  it('is an exit that nobody saw (R116)', () => {
    const policy = new DrivenPolicy().ready().its('exited', { status: { code: null, signal: null } });
    assert.deepEqual([policy.state.accounting.crashes, policy.state.lastExit?.cause], [1, 'unknown']);
  });

  it('fails the service at exactly the eighth (R57)', () => {
    const policy = new DrivenPolicy().ready();
    const names = Array.from({ length: 8 }, () => policy.crash().its('spawned').state.name);
    assert.deepEqual(names, [...Array.from({ length: 7 }, () => 'starting'), 'failed']);
  });

  it('leaves no timer and starts nothing once the breaker is open (R61)', () => {
    const policy = new DrivenPolicy({ crashes: { count: 1, windowMs: 300_000 } }).ready().exit(1).emptied();
    assert.deepEqual([policy.state.name, policy.asked], ['failed', []]);
  });

  it('fails a service that dies 61 s after ready for ever, at the eleventh (R58)', () => {
    const policy = new DrivenPolicy();
    let deaths = 0;
    while (policy.state.name !== 'failed' && deaths < 20) {
      policy.ready().wait(60_000).its('timer', { timer: 'recovery' }).wait(1000).crash();
      deaths += 1;
    }
    assert.equal(deaths, 11);
  });

  it('journals how long it ran, why it ended and how often it crashed', () => {
    const entry = new DrivenPolicy().ready().wait(1500).exit(3).last('service_exited');
    assert.deepEqual(
      [entry?.runDurationMs, entry?.likelyCause, entry?.crashes, entry?.code],
      [1500, 'runtime_error', 1, 3],
    );
  });

  it('never starts a second incarnation beside survivors', () => {
    const policy = new DrivenPolicy().ready().exit(1).emptied(2);
    assert.deepEqual([policy.state.name, policy.asked], ['failed', []]);
  });

  it('under `no` is counted and not restarted', () => {
    const policy = new DrivenPolicy({ policy: 'no' }).ready().exit(1).emptied();
    assert.deepEqual([policy.state.name, policy.state.accounting.crashes], ['failed', 1]);
  });

  it('under `no` leaves a service that may be started again without a reset', () => {
    const policy = new DrivenPolicy({ policy: 'no' }).ready().exit(1).emptied().event({ type: 'start' });
    assert.deepEqual(policy.asked, ['spawn']);
  });

  it('under `no` needs a reset once the breaker is open', () => {
    const policy = new DrivenPolicy({ policy: 'no', crashes: { count: 2, windowMs: 300_000 } });
    policy.ready().exit(1).emptied().ready().exit(1).emptied().event({ type: 'start' });
    assert.deepEqual([policy.state.name, policy.asked], ['failed', []]);
  });
});

describe('the service policy: a start that fails', () => {
  const failing = (): DrivenPolicy => new DrivenPolicy().event({ type: 'start' });

  it('is a crash of which there is nothing to reap (R49)', () => {
    const policy = failing().its('spawn_failed', { message: 'command not found: vitte' });
    assert.deepEqual([policy.asked, policy.state.accounting.crashes], [['unwatch', 'arm'], 1]);
  });

  it('is bounded by the breaker (R49)', () => {
    const policy = failing();
    for (let index = 0; index < 8; index += 1) {
      policy.its('spawn_failed', { message: 'command not found' }).wait(60_000).its('timer', { timer: 'respawn' });
    }
    assert.equal(policy.state.name, 'failed');
  });

  it('is the cause of the last exit', () => {
    assert.equal(failing().its('spawn_failed', { message: '' }).state.lastExit?.cause, 'spawn_failure');
  });

  it('is a crash by readiness timeout, once its process was ended', () => {
    const policy = failing().its('spawned').its('readiness_timeout', { message: 'no answer' });
    assert.deepEqual([policy.asked, policy.state.accounting.crashes], [['unwatch', 'terminate'], 1]);
  });

  it('counts a readiness timeout once, whatever code its process ends with', () => {
    const policy = failing().its('spawned').its('readiness_timeout', { message: 'no answer' }).exit(1).emptied();
    assert.deepEqual([policy.state.name, policy.state.accounting.crashes], ['backoff', 1]);
  });

  it('waits after a readiness timeout from the end of its process on', () => {
    const policy = failing().its('spawned').its('readiness_timeout', { message: '' }).wait(5000).exit(1);
    const exitedAt = policy.now;
    policy.wait(100).emptied();
    assert.deepEqual(policy.actions.at(-1), { type: 'arm', timer: 'respawn', at: exitedAt + 1000, incarnation: 1 });
  });

  it('journals the end after a readiness timeout with that cause', () => {
    const policy = failing().its('spawned').its('readiness_timeout', { message: 'no answer' });
    assert.equal(policy.exit(143).last('service_exited')?.likelyCause, 'readiness_timeout');
  });
});

describe('the service policy: a clean exit', () => {
  it('under `always` reaps what is left and respawns without delay (R41)', () => {
    const policy = new DrivenPolicy({ policy: 'always' }).ready().exit(0);
    assert.deepEqual([policy.asked, policy.emptied().asked], [['unwatch', 'reap'], ['spawn']]);
  });

  it('under `always` leaves the crashes as they are (R53)', () => {
    const policy = new DrivenPolicy({ policy: 'always' }).ready().crash().ready().exit(0).emptied();
    assert.equal(policy.state.accounting.crashes, 1);
  });

  it('under `always` warns at the eleventh in 60 s (R54)', () => {
    const policy = new DrivenPolicy({ policy: 'always' });
    for (let index = 0; index < 11; index += 1) policy.ready().exit(0).emptied();
    assert.equal(policy.last('health_warn')?.reason, 'clean_restart_budget_exceeded');
  });

  it('under `always` is slowed to one a second from the eleventh in 60 s on (R54)', () => {
    const policy = new DrivenPolicy({ policy: 'always' });
    for (let index = 0; index < 11; index += 1) policy.ready().exit(0).emptied();
    assert.deepEqual(policy.actions, [{ type: 'arm', timer: 'respawn', at: policy.now + 1000, incarnation: 11 }]);
  });

  it('under `on-failure` completes the service after its leftovers are reaped', () => {
    const policy = new DrivenPolicy().ready().exit(0);
    assert.deepEqual([policy.asked, policy.emptied().state.name], [['unwatch', 'reap'], 'completed']);
  });

  it('under `no` completes the service', () => {
    assert.equal(new DrivenPolicy({ policy: 'no' }).ready().exit(0).emptied().state.name, 'completed');
  });
});

describe('the service policy: recovery (R59, R60)', () => {
  it('is armed at ready, not at the start', () => {
    const policy = new DrivenPolicy().ready().crash().its('spawned').wait(30_000).its('probe_ready');
    const armed = policy.actions.find((action) => action.type === 'arm');
    assert.deepEqual(armed, { type: 'arm', timer: 'recovery', at: policy.now + 60_000, incarnation: 2 });
  });

  it('sets the crash count back', () => {
    const policy = new DrivenPolicy().ready().crash().ready().wait(60_000).its('timer', { timer: 'recovery' });
    assert.equal(policy.state.accounting.crashes, 0);
  });

  it('is given up by a crash before its time', () => {
    const policy = new DrivenPolicy().ready().crash().ready().wait(59_000).exit(1);
    assert.deepEqual([policy.asked[0], policy.state.accounting.crashes], ['disarm', 2]);
  });

  it('begins anew after a time in degraded', () => {
    const policy = new DrivenPolicy().ready().crash().ready().wait(50_000);
    policy.its('live', { ok: false, message: '' }).wait(1000).its('live', { ok: true, message: '' });
    const arms = policy.actions.filter((action) => action.type === 'arm');
    assert.deepEqual(arms, [{ type: 'arm', timer: 'recovery', at: policy.now + 60_000, incarnation: 2 }]);
  });

  it('waits on when its timer fires a little early', () => {
    const policy = new DrivenPolicy().ready().crash().ready().wait(59_999).its('timer', { timer: 'recovery' });
    assert.deepEqual([policy.asked, policy.state.accounting.crashes], [['arm'], 1]);
  });

  it('does not wait for a clock that was set back by an hour', () => {
    const policy = new DrivenPolicy().ready().crash().ready().wait(-3_600_000).its('timer', { timer: 'recovery' });
    assert.equal(policy.state.accounting.crashes, 0);
  });
});

describe('the service policy: memory and liveness', () => {
  it('drains a tree that is over its memory limit, gracefully, and starts it again without delay', () => {
    const policy = new DrivenPolicy().ready().its('memory', { level: 'over', bytes: 1 });
    assert.deepEqual([policy.asked, policy.exit(0).emptied().asked], [['unwatch', 'terminate'], ['spawn']]);
  });

  it('counts a drain as neither crash nor clean exit (R65)', () => {
    const policy = new DrivenPolicy({ policy: 'always' }).ready().its('memory', { level: 'over', bytes: 1 }).exit(1);
    const { crashes, clean, drains } = policy.state.accounting;
    assert.deepEqual([crashes, clean.length, drains.length, policy.state.lastExit?.cause], [0, 0, 1, 'memory_drain']);
  });

  it('fails at the drain after three in 10 min, its tree ended', () => {
    const policy = new DrivenPolicy();
    for (let index = 0; index < 4; index += 1)
      policy.ready().its('memory', { level: 'over', bytes: 1 }).exit(0).emptied();
    assert.deepEqual([policy.state.name, policy.last('breaker_open')?.reason], ['failed', 'drains']);
  });

  it('drains before it is ready, too', () => {
    const policy = new DrivenPolicy()
      .event({ type: 'start' })
      .its('spawned')
      .its('memory', { level: 'over', bytes: 1 });
    assert.deepEqual(policy.asked, ['unwatch', 'terminate']);
  });

  it('is degraded by a memory warning and ready again without it', () => {
    const policy = new DrivenPolicy().ready().its('memory', { level: 'warn', bytes: 1 });
    assert.deepEqual(
      [policy.state.name, policy.its('memory', { level: 'ok', bytes: 1 }).state.name],
      ['degraded', 'ready'],
    );
  });

  it('shows a memory warning from before it was ready', () => {
    const policy = new DrivenPolicy()
      .event({ type: 'start' })
      .its('spawned')
      .its('memory', { level: 'warn', bytes: 1 });
    assert.equal(policy.its('probe_ready').state.name, 'degraded');
  });

  it('is degraded by the first liveness failure and ready again at a success', () => {
    const policy = new DrivenPolicy().ready().its('live', { ok: false, message: '' });
    assert.deepEqual(
      [policy.state.name, policy.its('live', { ok: true, message: '' }).state.name],
      ['degraded', 'ready'],
    );
  });

  it('is wedged by three liveness failures in a row, and not by three with a success between', () => {
    const policy = new DrivenPolicy().ready();
    const names = [false, false, true, false, false, false].map(
      (ok) => policy.its('live', { ok, message: '' }).state.name,
    );
    assert.deepEqual(names, ['degraded', 'degraded', 'ready', 'degraded', 'degraded', 'stopping']);
  });

  it('counts a wedge as no crash and starts it again at once (R70)', () => {
    const policy = new DrivenPolicy({ failures: 1 }).ready().its('live', { ok: false, message: '' });
    policy.its('exited', { status: { code: null, signal: 'SIGKILL' } });
    assert.deepEqual([policy.state.accounting.crashes, policy.emptied().asked], [0, ['spawn']]);
  });

  it('fails at the wedge after three in 30 min', () => {
    const policy = new DrivenPolicy({ failures: 1 });
    for (let index = 0; index < 4; index += 1) policy.ready().its('live', { ok: false, message: '' }).exit(0).emptied();
    assert.deepEqual([policy.state.name, policy.last('breaker_open')?.reason], ['failed', 'wedges']);
  });

  it('stays degraded while either memory or liveness is a reason', () => {
    const policy = new DrivenPolicy().ready().its('memory', { level: 'warn', bytes: 1 });
    policy.its('live', { ok: false, message: '' }).its('live', { ok: true, message: '' });
    assert.equal(policy.state.name, 'degraded');
  });

  it('under `no` is not restarted after a drain', () => {
    const policy = new DrivenPolicy({ policy: 'no' }).ready().its('memory', { level: 'over', bytes: 1 });
    assert.equal(policy.exit(0).emptied().state.name, 'failed');
  });
});
