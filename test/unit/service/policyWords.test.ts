import assert from 'node:assert/strict';
import { detail, failedText } from '../../../server/service/policy/describe.ts';
import { isWanted } from '../../../server/service/policy/policy.ts';
import { restore, snapshot } from '../../../server/service/policy/snapshot.ts';
import { DrivenPolicy } from './drivenPolicy.ts';
import { everyState } from './policyCases.ts';

const words = (policy: DrivenPolicy): string | null => detail(policy.state, policy.now, 'web');

const crashed = (times: number): DrivenPolicy => {
  const policy = new DrivenPolicy().ready();
  for (let index = 0; index < times; index += 1) policy.ready().crash();
  return policy;
};

describe('the words of a service', () => {
  it('say of a spent breaker the count, the window, the last exit and the way on', () => {
    assert.equal(
      failedText(crashed(8).state, 'web'),
      'crashed 8 times, each within 5m of the one before; last exit: code 1; `coppice reset web` allows it to start again',
    );
  });

  it('say what was reaped', () => {
    const policy = crashed(7).ready().exit(1).its('emptied', { confirmed: 2, survivors: 0 });
    assert.match(failedText(policy.state, 'web') ?? '', /2 processes that it left were ended/);
  });

  it('say why a command could not be started', () => {
    const policy = new DrivenPolicy({ crashes: { count: 1, windowMs: 1000 } }).event({ type: 'start' });
    policy.its('spawn_failed', { message: 'command not found: vitte' });
    assert.match(failedText(policy.state, 'web') ?? '', /could not be started; command not found: vitte;/);
  });

  it('say that a SIGKILL may have been for lack of memory', () => {
    const policy = new DrivenPolicy()
      .ready()
      .its('exited', { status: { code: null, signal: 'SIGKILL' } })
      .emptied();
    assert.equal(words(policy), 'crash 1: signal SIGKILL (out of memory, or killed from outside); respawns in 1s');
  });

  it('count the respawn down', () => {
    assert.equal(words(new DrivenPolicy().ready().exit(1).emptied().wait(600)), 'crash 1: code 1; respawns in 400ms');
  });

  it('say why it is degraded', () => {
    const policy = new DrivenPolicy().ready().its('live', { ok: false, message: 'HTTP 500' });
    policy.its('memory', { level: 'warn', bytes: 3 * 1024 ** 3 });
    assert.equal(words(policy), 'liveness probe failed once: HTTP 500; uses 3GB of memory, over its warning level');
  });

  it('send a service that may simply be started again to `start`', () => {
    const policy = new DrivenPolicy({ policy: 'no' }).ready().exit(2).emptied();
    assert.equal(
      words(policy),
      'ended, and its restart policy is `no`; last exit: code 2; `coppice start web` starts it again',
    );
  });

  it('name survivors', () => {
    assert.match(words(new DrivenPolicy().ready().exit(1).emptied(2)) ?? '', /^2 processes could not be ended/);
  });

  it('say nothing of a service of which there is nothing to say', () => {
    assert.deepEqual([words(new DrivenPolicy()), words(new DrivenPolicy().ready())], [null, null]);
  });

  it('are found for every state', () => {
    for (const state of everyState()) assert.notEqual(detail(state, 0, 'web'), '');
  });
});

describe('the snapshot of a service', () => {
  const throughJson = (policy: DrivenPolicy) => restore(JSON.parse(JSON.stringify(snapshot(policy.state))));

  it('continues with crash count, restarts, incarnation and last exit', () => {
    const policy = crashed(5);
    const kept = throughJson(policy)?.state;
    const { accounting, restarts, incarnation, lastExit } = policy.state;
    assert.deepEqual(
      [kept?.accounting, kept?.restarts, kept?.incarnation, kept?.lastExit],
      [accounting, restarts, incarnation, lastExit],
    );
  });

  it('lets the eighth crash under a successor open the breaker', () => {
    const successor = new DrivenPolicy({}, throughJson(crashed(7))!.state);
    assert.equal(successor.ready().exit(1).emptied().state.name, 'failed');
  });

  it('keeps a failed service failed, with the same words', () => {
    const policy = crashed(8);
    assert.equal(failedText(throughJson(policy)!.state, 'web'), failedText(policy.state, 'web'));
  });

  it('can be restored from every state, and says what was wanted', () => {
    for (const state of everyState())
      assert.equal(restore(JSON.parse(JSON.stringify(snapshot(state))))?.wanted, isWanted(state));
  });

  it('lets a running tree be kept, and no tree that was being ended', () => {
    const running = new DrivenPolicy().ready();
    assert.deepEqual(
      [throughJson(running)?.keepable, throughJson(running.event({ type: 'stop' }))?.keepable],
      [true, false],
    );
  });

  it('does not count an end a second time that its predecessor had counted', () => {
    const before = new DrivenPolicy().ready().exit(1);
    const kept = throughJson(before)!;
    const successor = new DrivenPolicy({}, kept.state).event({ type: 'adopted', incarnation: 1, ready: true });
    successor
      .event({ type: kept.wanted ? 'restart' : 'stop' })
      .exit(1)
      .emptied();
    assert.deepEqual([successor.asked, successor.state.accounting.crashes], [['spawn'], 1]);
  });

  it('says that an end is told while what it left is reaped, so that it is not told again', () => {
    const policies = [
      new DrivenPolicy().ready(),
      new DrivenPolicy().ready().exit(1),
      new DrivenPolicy().ready().event({ type: 'stop' }),
      new DrivenPolicy().ready().event({ type: 'stop' }).exit(0),
    ];
    const told = policies.map((one) => throughJson(one)?.exitTold);
    assert.deepEqual(told, [false, true, false, true]);
  });

  it('waits under a successor for what is left of a delay, not from the beginning and not less', () => {
    const before = new DrivenPolicy().ready().exit(1).emptied();
    const { waiting } = throughJson(before)!;
    const successor = new DrivenPolicy({}, waiting!).emptied();
    assert.deepEqual(successor.state, before.state);
  });

  for (const [what, broken] of [
    ['nothing', undefined],
    ['a text', 'stopped'],
    ['a list', []],
    ['another version', { version: 2 }],
    ['a negative count', { restarts: -1 }],
    ['an infinite time', { accounting: { crashes: 1, lastCrashAt: Number.POSITIVE_INFINITY } }],
    ['a list that is too long', { slow: Array.from({ length: 5000 }, () => 1) }],
    ['an unknown cause', { lastExit: { code: 1, signal: null, at: 1, cause: 'bad luck' } }],
    ['failed without a failure', { rest: 'failed', failure: null }],
    ['a state that no snapshot has', { rest: 'ready' }],
    ['a prototype', { rest: 'constructor' }],
  ] as const) {
    it(`is refused when it holds ${what}`, () => {
      const whole = snapshot(crashed(2).state);
      if (broken === undefined || typeof broken === 'string' || Array.isArray(broken))
        assert.equal(restore(broken), null);
      else if ('slow' in broken)
        assert.equal(restore({ ...whole, accounting: { ...whole.accounting, ...broken } }), null);
      else assert.equal(restore({ ...whole, ...broken }), null);
    });
  }
});
