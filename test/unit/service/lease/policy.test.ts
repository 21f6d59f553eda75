import assert from 'node:assert/strict';
import type { ProcessIdentity } from '../../../../server/process/types.ts';
import { endOf, nextEnd, step } from '../../../../server/service/lease/policy.ts';
import type { LeaseEvent, LeaseState } from '../../../../server/service/lease/types.ts';

const SETTINGS = { graceMs: 1000, returnMs: 300 };
const process = (pid: number): ProcessIdentity => ({ pid, startTime: String(pid), bootId: 'boot' });
const window = (pid: number | null, session = 'w') =>
  ({ session, holder: 'window', process: pid === null ? null : process(pid) }) as const;
const connected = (pid: number | null, session?: string): LeaseEvent => ({
  type: 'connected',
  ...window(pid, session),
});
const left = (session = 'w'): LeaseEvent => ({ type: 'disconnected', session });
const gone = (pid: number, session = 'w'): LeaseEvent => ({ type: 'process_gone', session, process: process(pid) });
const claimed = (pid: number | null): LeaseEvent => ({ type: 'claimed', ...window(pid) });
const TIME: LeaseEvent = { type: 'time_passed' };

/** What is reaped when, as `<time> <session>`; a reap is over as soon as it was asked for. */
function play(...events: readonly (readonly [at: number, event: LeaseEvent])[]): string[] {
  const reaped: string[] = [];
  let state: LeaseState = new Map();
  for (const [at, event] of events) {
    const next = step(state, event, at, SETTINGS);
    state = next.state;
    for (const { session } of next.actions) {
      reaped.push(`${at} ${session}`);
      state = step(state, { type: 'reaped', session }, at, SETTINGS).state;
    }
  }
  return reaped;
}

describe('the lease of a session', () => {
  it('is never over while a connection of it is open', () => {
    assert.deepEqual(play([0, connected(7)], [1, gone(7)], [1e9, TIME]), []);
  });

  it('is over when its last connection has been closed for the grace', () => {
    const events = [
      [0, connected(null)],
      [5, left()],
      [1004, TIME],
    ] as const;
    assert.deepEqual([play(...events), play(...events, [1005, TIME])], [[], ['1005 w']]);
  });

  it('lasts until the last of several connections is closed', () => {
    const twice = [
      [0, connected(null)],
      [0, connected(null)],
      [0, left()],
    ] as const;
    assert.deepEqual([play(...twice, [5000, TIME]), play(...twice, [1, left()], [5000, TIME])], [[], ['5000 w']]);
  });

  it('goes on when a window was reloaded: the same name, another process, within the grace', () => {
    assert.deepEqual(play([0, connected(7)], [1, left()], [2, gone(7)], [900, connected(8)], [1e6, TIME]), []);
  });

  it('goes on for as long as a suspended terminal lives, however long that is', () => {
    assert.deepEqual(play([0, connected(7)], [1, left()], [3_600_000, TIME]), []);
  });

  it('gives the whole grace from when its process was seen gone', () => {
    const suspended = [
      [0, connected(7)],
      [1, left()],
      [3_600_000, gone(7)],
    ] as const;
    const ends = [3_600_999, 3_601_000].map((at) => play(...suspended, [at, TIME]));
    assert.deepEqual(ends, [[], ['3601000 w']]);
  });

  it('rests on every process that joined it', () => {
    const two = [
      [0, connected(7)],
      [0, connected(8)],
      [1, left()],
      [1, left()],
      [2, gone(7)],
    ] as const;
    assert.deepEqual([play(...two, [1e6, TIME]), play(...two, [3, gone(8)], [1e6, TIME])], [[], ['1000000 w']]);
  });

  it('begins with a fresh grace for what a successor finds on record', () => {
    assert.deepEqual(play([50, claimed(null)], [1049, TIME], [1050, TIME]), ['1050 w']);
  });

  it('gives clients the time that they need to find a successor, however short the grace', () => {
    const { state } = step(new Map(), claimed(null), 0, { graceMs: 0, returnMs: 300 });
    assert.equal(endOf([...state.values()][0]!, { graceMs: 0, returnMs: 300 }), 300);
  });

  it('reaps the other session alone when one is over (R99)', () => {
    const both = [
      [0, connected(7, 'a')],
      [0, connected(8, 'b')],
      [1, left('a')],
      [2, gone(7, 'a')],
    ] as const;
    assert.deepEqual(play(...both, [5000, TIME]), ['5000 a']);
  });

  it('begins anew for who comes while its things are being ended', () => {
    let state: LeaseState = new Map();
    const take = (at: number, event: LeaseEvent): number => {
      const next = step(state, event, at, SETTINGS);
      state = next.state;
      return next.actions.length;
    };
    take(0, connected(null));
    take(0, left());
    const reaps = [take(1000, TIME), take(1001, connected(null)), take(1002, TIME)];
    take(1003, { type: 'reaped', session: 'w' });
    assert.deepEqual([reaps, state.get('w')?.hold], [[1, 0, 0], { name: 'held', connections: 1 }]);
  });

  it('is forgotten when its things are ended and nobody came', () => {
    let state = step(new Map(), claimed(null), 0, SETTINGS).state;
    state = step(state, TIME, 1000, SETTINGS).state;
    assert.equal(step(state, { type: 'reaped', session: 'w' }, 1001, SETTINGS).state.size, 0);
  });
});

/** Numbers from a seed, so that a failure can be played again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What is really so in a random play, told without the policy. */
interface Truth {
  connections: number;
  readonly processes: Set<number>;
  /** When the session was last there: by a connection, a process that was not known to be gone, or a claim. */
  lastThere: number;
  ending: boolean;
  known: boolean;
}

const SESSIONS = ['a', 'b', 'c'];

function playAtRandom(seed: number): void {
  const random = randomOf(seed);
  const truths = new Map<string, Truth>(
    SESSIONS.map((name) => [name, { connections: 0, processes: new Set(), lastThere: 0, ending: false, known: false }]),
  );
  let state: LeaseState = new Map();
  let now = 0;
  const there = (truth: Truth): boolean => truth.connections > 0 || truth.processes.size > 0;
  const take = (event: LeaseEvent): void => {
    const before = state;
    const next = step(state, event, now, SETTINGS);
    state = next.state;
    if ('session' in event)
      for (const name of SESSIONS)
        if (name !== event.session)
          assert.equal(state.get(name), before.get(name), `seed ${seed}: ${name} was touched`);
    for (const { session } of next.actions) {
      const truth = truths.get(session)!;
      const why = `seed ${seed}: ${session} reaped at ${now}, there at ${truth.lastThere}`;
      assert.ok(truth.known && !there(truth) && !truth.ending && now - truth.lastThere >= SETTINGS.graceMs, why);
      truth.ending = true;
    }
  };
  const steps = 10 + random(60);
  for (let count = 0; count < steps; count += 1) {
    now += random(3) === 0 ? random(1500) : random(50);
    const session = SESSIONS[random(SESSIONS.length)]!;
    const truth = truths.get(session)!;
    const pid = 1 + random(4);
    if (there(truth)) truth.lastThere = now;
    switch (random(6)) {
      case 0:
        truth.connections += 1;
        truth.known = true;
        if (random(2) === 0) truth.processes.add(pid);
        take({ type: 'connected', ...window(truth.processes.has(pid) ? pid : null, session) });
        break;
      case 1:
        if (truth.connections === 0) break;
        truth.connections -= 1;
        take(left(session));
        break;
      case 2:
        truth.known = true;
        truth.lastThere = now;
        take({ type: 'claimed', ...window(null, session) });
        break;
      case 3:
        if (!truth.processes.delete(pid)) break;
        take(gone(pid, session));
        break;
      case 4:
        take(TIME);
        break;
      default:
        if (!truth.ending) break;
        truth.ending = false;
        truth.lastThere = now;
        take({ type: 'reaped', session });
    }
  }
  // Everybody goes: within a grace every session that was known is reaped, or already is.
  for (const [session, truth] of truths) {
    if (truth.ending) take({ type: 'reaped', session });
    truth.ending = false;
    if (there(truth)) truth.lastThere = now;
    for (; truth.connections > 0; truth.connections -= 1) take(left(session));
    for (const pid of truth.processes) take(gone(pid, session));
    truth.processes.clear();
  }
  assert.ok((nextEnd(state, now, SETTINGS) ?? 0) <= SETTINGS.graceMs, `seed ${seed}: an end later than a grace`);
  for (const truth of truths.values()) truth.lastThere = Math.min(truth.lastThere, now);
  now += SETTINGS.graceMs;
  take(TIME);
  for (const session of SESSIONS) take({ type: 'reaped', session });
  assert.equal(state.size, 0, `seed ${seed}: ${[...state.keys()]} never ended`);
}

describe('leases in any order of events', () => {
  it('reap no session that is there or within its grace, touch no other, and end every one in the end', () => {
    for (let seed = 1; seed <= 5000; seed += 1) playAtRandom(seed);
  });
});
