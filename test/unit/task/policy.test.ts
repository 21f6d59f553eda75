import assert from 'node:assert/strict';
import type { ExitRecord } from '../../../server/process/types.ts';
import {
  type AttemptEnd,
  afterAttempt,
  type Continuation,
  continueTask,
  interruptionOf,
  isLost,
  type NextStep,
  type TaskEvidence,
  timeLeft,
} from '../../../server/task/policy.ts';
import { NOT_BEGUN, type TaskProgress, type TaskTerms } from '../../../server/task/progress.ts';

const TERMS: TaskTerms = {
  name: 'build',
  dependsOn: [],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 5_000,
  onSupervisorLoss: 'adopt',
  timeoutMs: 1_000,
  retries: 2,
  attentionCodes: [75],
};
const NOTHING: TaskEvidence = { tree: false, exit: null, told: null, configured: true };
const EXIT: ExitRecord = { pid: 7, code: 3, signal: null, at: 50, witness: 'keeper' };
const RUNNING: TaskProgress = { ...NOT_BEGUN, state: 'running', attempt: 2, marker: 'm', startedAt: 10 };

describe('how a successor goes on with a task', () => {
  const canceled = (detail: string): Continuation => ({ kind: 'cancel', detail });
  const before = canceled('canceled before it started');
  const gone = canceled('the configuration does not have it any more');
  const result: Continuation = { kind: 'conclude', status: { code: 3, signal: null }, at: 50, lost: false };
  const told = { state: 'succeeded', exitCode: 0 } as const;
  const table: readonly [string, Partial<TaskProgress>, Partial<TaskEvidence>, Continuation][] = [
    ['waits as it did (R93)', { state: 'waiting' }, {}, { kind: 'wait' }],
    ['is canceled if it was to be while it waited', { state: 'waiting', canceledAt: 1 }, {}, before],
    ['is canceled when its command is not known any more', { state: 'waiting' }, { configured: false }, gone],
    ['has ended if it had', { state: 'failed' }, { tree: true, exit: EXIT }, { kind: 'ended' }],
    ['needs a person as it did (R94)', { state: 'needs_attention' }, { exit: EXIT }, { kind: 'ended' }],
    ['is followed while its tree is on record', {}, { tree: true }, { kind: 'follow' }],
    [
      'is followed when its leader has ended and its tree is on record',
      {},
      { tree: true, exit: EXIT },
      { kind: 'follow' },
    ],
    ['is followed without its configuration', {}, { tree: true, configured: false }, { kind: 'follow' }],
    ['is followed to its end when it was canceled', { canceledAt: 1 }, { tree: true }, { kind: 'follow' }],
    ['has the result of its exit record', {}, { exit: EXIT }, result],
    ['has the result of its exit record when it was canceled', { canceledAt: 60 }, { exit: EXIT }, result],
    [
      'has ended with its supervisor when its keeper says so',
      {},
      { exit: { ...EXIT, pact: true } },
      { ...result, lost: true } as Continuation,
    ],
    [
      'has an end that nobody witnessed when that is torn',
      {},
      { exit: 'corrupt' },
      { kind: 'conclude', status: { code: null, signal: null }, at: null, lost: false },
    ],
    ['is launched when it never was', {}, {}, { kind: 'launch' }],
    ['is not launched any more when it was canceled', { canceledAt: 1 }, {}, before],
    ['is not launched when its command is not known any more', {}, { configured: false }, gone],
    ['has ended as the journal says', {}, { told, exit: EXIT }, { kind: 'told', ...told }],
    ['has ended as the journal says, whatever is on record', {}, { told, tree: true }, { kind: 'told', ...told }],
  ];
  for (const [name, progress, evidence, expected] of table) {
    it(name, () => {
      assert.deepEqual(continueTask({ ...RUNNING, ...progress }, { ...NOTHING, ...evidence }), expected);
    });
  }
});

describe('the end of an attempt', () => {
  const ended = (code: number | null, rest: Partial<AttemptEnd> = {}): AttemptEnd =>
    ({ kind: 'ended', status: { code, signal: null }, interruption: null, ...rest }) as AttemptEnd;
  const killed: AttemptEnd = { kind: 'ended', status: { code: null, signal: 'SIGKILL' }, interruption: null };
  const failed: AttemptEnd = { kind: 'not_started', message: 'cannot start' };
  const settle = (state: string, detail: string | null): NextStep => ({ kind: 'settle', state, detail }) as NextStep;
  const retry = (detail: string): NextStep => ({ kind: 'retry', detail });
  const lost = 'ended with its supervisor, as `onSupervisorLoss: stop` asks';
  const table: readonly [string, number, AttemptEnd, NextStep][] = [
    ['is success with code 0', 1, ended(0), settle('succeeded', null)],
    [
      'asks for a person, and never for another attempt',
      1,
      ended(75),
      settle('needs_attention', 'exit code 75: a person must look'),
    ],
    ['is followed by the second of three', 1, ended(1), retry('attempt 2 of 3: exit code 1')],
    ['is followed by the third of three', 2, killed, retry('attempt 3 of 3: killed by SIGKILL')],
    ['is failure after the last', 3, ended(1), settle('failed', 'exit code 1')],
    ['is failure when it could not be started', 3, failed, settle('failed', 'cannot start')],
    ['is failure when nobody saw it', 3, ended(null), settle('failed', 'its end was not witnessed')],
    ['ends the task when it was canceled', 1, ended(0, { interruption: 'canceled' }), settle('canceled', 'canceled')],
    [
      'ends the task when it ended with its supervisor',
      1,
      ended(0, { interruption: 'supervisor_lost' }),
      settle('canceled', lost),
    ],
    [
      'is no success when its time was over',
      3,
      ended(0, { interruption: 'timed_out' }),
      settle('timed_out', 'not done within 1000 ms'),
    ],
    [
      'is followed by another when its time was over',
      1,
      ended(75, { interruption: 'timed_out' }),
      retry('attempt 2 of 3: not done within 1000 ms'),
    ],
  ];
  for (const [name, attempt, end, expected] of table) {
    it(name, () => assert.deepEqual(afterAttempt(TERMS, { attempt, canceledAt: null }, end, false), expected));
  }

  it('is followed by no other once the task is canceled', () => {
    assert.deepEqual(
      afterAttempt(TERMS, { attempt: 1, canceledAt: 5 }, ended(1), false),
      settle('failed', 'exit code 1'),
    );
  });

  it('is followed by no other while something of it lives', () => {
    assert.equal(afterAttempt(TERMS, { attempt: 1, canceledAt: null }, ended(1), true).kind, 'settle');
  });
});

describe('why an attempt ended', () => {
  it('is not that it was canceled when it had ended before', () => {
    assert.equal(interruptionOf({ canceledAt: 100, timedOutAt: null }, 99), null);
  });

  it('is that it was canceled when it ended after', () => {
    assert.equal(interruptionOf({ canceledAt: 100, timedOutAt: 50 }, 100), 'canceled');
  });

  it('is that its time was over when it ended after that', () => {
    assert.equal(interruptionOf({ canceledAt: null, timedOutAt: 50 }, 51), 'timed_out');
  });

  it('is the loss of its supervisor only where that was asked for, and where it did not end by itself', () => {
    const cases = [
      isLost({ onSupervisorLoss: 'adopt' }, null),
      isLost({ onSupervisorLoss: 'stop' }, EXIT),
      isLost({ onSupervisorLoss: 'stop' }, { ...EXIT, pact: true }),
      isLost({ onSupervisorLoss: 'stop' }, null),
    ];
    assert.deepEqual(cases, [false, false, true, true]);
  });
});

describe('the time that a task has left', () => {
  it('is what the supervisor before had not used', () => assert.equal(timeLeft(1_000, 10_000, 10_400), 600));
  it('is none when it is over', () => assert.equal(timeLeft(1_000, 10_000, 99_000), 0));
  it('is never more than it had, when the clock was set back (R87)', () =>
    assert.equal(timeLeft(1_000, 10_000, 5_000), 1_000));
});
