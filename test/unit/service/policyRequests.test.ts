import assert from 'node:assert/strict';
import { isWanted, needsReset } from '../../../server/service/policy/policy.ts';
import { DrivenPolicy } from './drivenPolicy.ts';

const tripped = (): DrivenPolicy =>
  new DrivenPolicy({ crashes: { count: 1, windowMs: 300_000 } }).ready().exit(1).emptied();

describe('the service policy: stop', () => {
  it('counts nothing, whatever the exit code (R56)', () => {
    const policy = new DrivenPolicy().ready().event({ type: 'stop' }).exit(1).emptied();
    assert.deepEqual(
      [policy.state.name, policy.state.accounting.crashes, policy.state.lastExit?.cause],
      ['stopped', 0, 'requested_stop'],
    );
  });

  it('during a backoff disarms the respawn and ends at once (R21)', () => {
    const policy = new DrivenPolicy().ready().exit(1).emptied().event({ type: 'stop' });
    assert.deepEqual([policy.state.name, policy.asked], ['stopped', ['disarm']]);
  });

  it('ignores a respawn timer that fired just before (R22)', () => {
    const policy = new DrivenPolicy().ready().exit(1).emptied().event({ type: 'stop' });
    assert.deepEqual(policy.wait(1000).its('timer', { timer: 'respawn' }).asked, []);
  });

  it('while a crash is being reaped waits for the proof and starts nothing', () => {
    const policy = new DrivenPolicy().ready().exit(1).event({ type: 'stop' });
    assert.deepEqual([policy.state.name, policy.emptied().state.name, policy.asked], ['stopping', 'stopped', []]);
  });

  it('while it is being launched ends what the launch brings (R23)', () => {
    const policy = new DrivenPolicy().event({ type: 'start' }).event({ type: 'stop' });
    assert.deepEqual([policy.asked, policy.its('spawned').state.name], [['unwatch', 'terminate'], 'stopping']);
  });

  it('while it waits for readiness starts nothing afterwards (R22)', () => {
    const policy = new DrivenPolicy()
      .event({ type: 'start' })
      .its('spawned')
      .event({ type: 'stop' })
      .its('probe_ready');
    assert.equal(policy.exit(0).emptied().state.name, 'stopped');
  });

  it('turns a restart that is under way into a stop', () => {
    const policy = new DrivenPolicy().ready().event({ type: 'restart' }).event({ type: 'stop' }).exit(0).emptied();
    assert.deepEqual([policy.state.name, policy.asked], ['stopped', []]);
  });

  it('turns a memory drain that is under way into a stop', () => {
    const policy = new DrivenPolicy().ready().its('memory', { level: 'over', bytes: 1 }).event({ type: 'stop' });
    assert.equal(policy.exit(0).emptied().state.name, 'stopped');
  });

  it('a second time changes nothing (R15)', () => {
    assert.deepEqual(new DrivenPolicy().ready().event({ type: 'stop' }).event({ type: 'stop' }).asked, []);
  });

  it('does not hide that a budget was spent', () => {
    const policy = new DrivenPolicy({ crashes: { count: 1, windowMs: 300_000 } })
      .ready()
      .exit(1)
      .event({ type: 'stop' });
    assert.equal(policy.emptied().state.name, 'failed');
  });

  it('fails with survivors rather than to call a service stopped of which something runs', () => {
    assert.equal(new DrivenPolicy().ready().event({ type: 'stop' }).exit(0).emptied(1).state.name, 'failed');
  });

  it('of an idle service says so', () => {
    const policy = new DrivenPolicy().ready().its('idle').exit(0).emptied();
    assert.deepEqual([policy.state.name, policy.state.lastExit?.cause], ['stopped', 'requested_stop']);
  });
});

describe('the service policy: start', () => {
  it('while it stops starts it again once nothing is left', () => {
    const policy = new DrivenPolicy().ready().event({ type: 'stop' }).event({ type: 'start' }).exit(0);
    assert.deepEqual([policy.asked, policy.emptied().asked], [[], ['spawn']]);
  });

  it('changes nothing in failed (R61)', () => {
    assert.deepEqual([tripped().event({ type: 'start' }).asked, needsReset(tripped().state)], [[], true]);
  });

  it('does not cut a backoff short, so that asking again and again is no way round it', () => {
    assert.deepEqual(new DrivenPolicy().ready().exit(1).emptied().event({ type: 'start' }).asked, []);
  });

  it('keeps the crash count: a stop in between is no way round the breaker', () => {
    const policy = new DrivenPolicy().ready();
    for (let index = 0; index < 8; index += 1) policy.ready().exit(1).emptied().event({ type: 'stop' });
    assert.equal(policy.state.name, 'failed');
  });

  it('is no restart', () => {
    assert.equal(new DrivenPolicy().ready().event({ type: 'stop' }).exit(0).emptied().ready().state.restarts, 0);
  });

  it('makes it wanted, and a stop ends that', () => {
    const policy = new DrivenPolicy().ready();
    assert.deepEqual([isWanted(policy.state), isWanted(policy.event({ type: 'stop' }).state)], [true, false]);
  });
});

describe('the service policy: restart', () => {
  it('ends the incarnation, then starts the next, and counts nothing', () => {
    const policy = new DrivenPolicy().ready().event({ type: 'restart' });
    assert.deepEqual([policy.asked, policy.exit(1).emptied().asked], [['unwatch', 'terminate'], ['spawn']]);
    assert.equal(policy.state.accounting.crashes, 0);
  });

  it('during a backoff spawns now', () => {
    assert.deepEqual(new DrivenPolicy().ready().exit(1).emptied().event({ type: 'restart' }).asked, [
      'disarm',
      'spawn',
    ]);
  });

  it('while a crash is being reaped spawns as soon as nothing is left', () => {
    const policy = new DrivenPolicy().ready().exit(1).event({ type: 'restart' });
    assert.deepEqual([policy.asked, policy.emptied().asked], [[], ['spawn']]);
  });

  it('starts what is stopped or completed', () => {
    const completed = new DrivenPolicy().ready().exit(0).emptied();
    assert.deepEqual(
      [new DrivenPolicy().event({ type: 'restart' }).asked, completed.event({ type: 'restart' }).asked],
      [['spawn'], ['spawn']],
    );
  });

  it('is refused in failed', () => {
    assert.deepEqual(tripped().event({ type: 'restart' }).asked, []);
  });

  it('hears nothing more of the incarnation before (R71)', () => {
    const policy = new DrivenPolicy().ready().event({ type: 'restart' }).exit(0).emptied();
    const next = policy.state;
    policy.event({ type: 'exited', incarnation: 1, status: { code: 1, signal: null } });
    assert.equal(policy.state, next);
  });
});

describe('the service policy: reset (R62)', () => {
  it('brings a failed service to stopped with all counts at 0', () => {
    const policy = tripped().event({ type: 'reset' });
    assert.deepEqual(
      [policy.state.name, policy.state.accounting.crashes, policy.journal.at(-1)?.event],
      ['stopped', 0, 'breaker_reset'],
    );
  });

  it('does nothing to a service that has not failed', () => {
    const policy = new DrivenPolicy().ready().crash();
    const before = policy.state;
    assert.equal(policy.event({ type: 'reset' }).state, before);
  });
});

describe('the service policy: adoption', () => {
  it('of an incarnation that had been ready watches its liveness and goes on from there', () => {
    const policy = new DrivenPolicy().event({ type: 'adopted', incarnation: 5, ready: true });
    assert.deepEqual([policy.state.name, policy.state.incarnation, policy.asked], ['ready', 5, ['watch']]);
  });

  it('of one that had not been ready waits for readiness', () => {
    const policy = new DrivenPolicy().event({ type: 'adopted', incarnation: 5, ready: false });
    assert.deepEqual(policy.actions.at(-1), { type: 'watch', incarnation: 5, what: 'readiness' });
  });

  it('measures how long it ran from the start that its predecessor recorded', () => {
    const policy = new DrivenPolicy();
    policy.event({ type: 'adopted', incarnation: 5, ready: true, startedAt: policy.now - 90_000 }).exit(1);
    assert.equal(policy.last('service_exited')?.runDurationMs, 90_000);
  });

  it('numbers the next incarnation after it', () => {
    const policy = new DrivenPolicy().event({ type: 'adopted', incarnation: 5, ready: true }).crash();
    assert.equal(policy.state.incarnation, 6);
  });

  it('of a failed service ends the tree and stays failed', () => {
    const policy = tripped().event({ type: 'adopted', incarnation: 1, ready: true });
    assert.deepEqual([policy.asked, policy.exit(0).emptied().state.name], [['terminate'], 'failed']);
  });
});
