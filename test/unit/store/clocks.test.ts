import assert from 'node:assert/strict';
import { initialState } from '../../../server/service/policy/policy.ts';
import { emptyAccounting, type RestartLimits, recordCrash } from '../../../server/service/restartCore.ts';
import { stillWaiting } from '../../../server/service/succession.ts';
import { type Clocks, windowClock } from '../../../server/store/clocks.ts';
import { HEARTBEAT_STALE_MS, heartbeatAgeMs, parseHeartbeat } from '../../../server/store/heartbeat.ts';
import type { Heartbeat } from '../../../server/store/types.ts';

const HOUR = 3_600_000;

/** A machine whose clocks a test moves. */
class Machine {
  wall = 1_700_000_000_000;
  steady = 50_000;
  bootId = 'boot';

  get clocks(): Clocks {
    return { wall: this.wall, steady: this.steady, bootId: this.bootId };
  }

  pass(ms: number): void {
    this.wall += ms;
    this.steady += ms;
  }

  sleep(ms: number): void {
    this.wall += ms;
  }

  beat(now: () => number): Heartbeat {
    const { bootId, steady } = this;
    const counts = { uptimeMs: 0, eventLoopDelayMs: 0, memory: { heapUsedMb: 0, rssMb: 0 }, services: {}, runs: [] };
    return { pid: 1, startTime: '1', at: this.wall, clock: { bootId, steady, now: now() }, ...counts };
  }
}

describe('the age of a heartbeat', () => {
  const jumps: [string, (machine: Machine) => void][] = [
    ['an hour of sleep', (machine) => machine.sleep(HOUR)],
    ['a clock that was set five hours forward', (machine) => (machine.wall += 5 * HOUR)],
    ['a clock that was set five hours back', (machine) => (machine.wall -= 5 * HOUR)],
  ];
  for (const [what, jump] of jumps) {
    it(`is not changed by ${what} (R87)`, () => {
      const machine = new Machine();
      const beat = machine.beat(() => 0);
      machine.pass(10_000);
      jump(machine);
      assert.equal(heartbeatAgeMs(beat, machine.clocks), 10_000);
    });
  }

  it('grows while the machine is awake, until the supervisor is suspect', () => {
    const machine = new Machine();
    const beat = machine.beat(() => 0);
    machine.pass(HEARTBEAT_STALE_MS);
    assert.equal(heartbeatAgeMs(beat, machine.clocks), HEARTBEAT_STALE_MS);
  });

  it('is told by the clock on the wall where it was written in another boot, or without a clock', () => {
    const machine = new Machine();
    const beat = machine.beat(() => 0);
    machine.pass(10_000);
    machine.sleep(HOUR);
    const { clock: _, ...bare } = beat;
    assert.equal(heartbeatAgeMs(bare, machine.clocks), HOUR + 10_000);
    machine.bootId = 'another boot';
    assert.equal(heartbeatAgeMs(beat, machine.clocks), HOUR + 10_000);
  });

  it('is written with its clock, and a clock that is none is left out', () => {
    const beat = new Machine().beat(() => 7);
    assert.deepEqual(parseHeartbeat(JSON.stringify(beat)), beat);
    assert.equal(parseHeartbeat(JSON.stringify({ ...beat, clock: { bootId: 1 } }))?.clock, undefined);
  });
});

describe('the clock for windows and delays', () => {
  it('begins as the one on the wall, and goes on evenly whatever is done to that', () => {
    const machine = new Machine();
    const now = windowClock(null, machine.clocks, () => machine.steady);
    const began = now();
    assert.equal(began, machine.wall);
    machine.sleep(HOUR);
    machine.wall -= 9 * HOUR;
    machine.pass(1_000);
    assert.equal(now() - began, 1_000);
  });

  for (const [what, ms] of [
    ['forward', 5 * HOUR],
    ['back', -5 * HOUR],
  ] as const) {
    it(`is gone on with by a successor when the clock on the wall was set ${what} in between`, () => {
      const machine = new Machine();
      const first = windowClock(null, machine.clocks, () => machine.steady);
      const began = first();
      const { clock = null } = machine.beat(first);
      machine.wall += ms;
      machine.pass(2_000);
      const second = windowClock(clock, machine.clocks, () => machine.steady);
      assert.equal(second() - began, 2_000);
    });
  }

  it('begins anew after another boot', () => {
    const machine = new Machine();
    const { clock = null } = machine.beat(() => 5);
    machine.bootId = 'another boot';
    machine.steady = 0;
    assert.equal(windowClock(clock, machine.clocks, () => machine.steady)(), machine.wall);
  });

  it('keeps a budget from being freed by a jump between two supervisors', () => {
    const limits: RestartLimits = {
      backoff: { initialMs: 1, maxMs: 1 },
      crashes: { count: 3, windowMs: 300_000 },
      slow: { count: 100, windowMs: 300_000 },
      clean: { count: 1, windowMs: 1 },
      drains: { count: 1, windowMs: 1 },
      wedges: { count: 1, windowMs: 1 },
      recoveryMs: 60_000,
    };
    const machine = new Machine();
    let now = windowClock(null, machine.clocks, () => machine.steady);
    let accounting = emptyAccounting();
    const spent: unknown[] = [];
    for (let crash = 0; crash < 3; crash += 1) {
      const decision = recordCrash(accounting, now(), limits, () => 0);
      accounting = decision.accounting;
      spent.push(decision.spent);
      const { clock = null } = machine.beat(now);
      machine.wall += 2 * HOUR;
      machine.pass(1_000);
      now = windowClock(clock, machine.clocks, () => machine.steady);
    }
    assert.deepEqual(spent, [null, null, 'crashes']);
  });
});

describe('what is left of a delay', () => {
  const facts = initialState();
  const { incarnation, restarts, lastExit, accounting } = facts;
  const waiting = (respawnAt: number) =>
    stillWaiting(
      {
        name: 'backoff',
        reaping: true,
        incarnation,
        restarts,
        lastExit,
        accounting,
        respawnAt,
        delayMs: 8_000,
        reason: 'crash',
        message: null,
      },
      1_000_000,
    );

  it('is what it was where the clock can be gone on with', () => {
    assert.equal(waiting(1_003_000).respawnAt, 1_003_000);
  });

  it('is never more than the whole delay, as after a clock was set back and the machine started anew', () => {
    assert.equal(waiting(1_000_000 + 5 * HOUR).respawnAt, 1_008_000);
  });
});
