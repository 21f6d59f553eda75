import assert from 'node:assert/strict';
import { Leases } from '../../../server/life/leases.ts';
import type { Liveness, ProcessIdentity } from '../../../server/process/types.ts';
import type { SessionOwner } from '../../../server/store/types.ts';
import { until } from '../../support/until.ts';

const GRACE_MS = 200;
const PROCESS: ProcessIdentity = { pid: 7, startTime: '7', bootId: 'b' };
const owner = (session: string, process: ProcessIdentity | null = null): SessionOwner => ({
  kind: 'session',
  session,
  holder: 'window',
  process,
});

describe('the keeper of leases', () => {
  let leases: Leases;
  let reaped: string[];
  let jump: number;
  let life: Liveness;
  let reaping: Promise<void>;

  beforeEach(() => {
    reaped = [];
    jump = 0;
    life = 'alive';
    reaping = Promise.resolve();
    leases = new Leases({
      graceMs: GRACE_MS,
      now: () => performance.now() + jump,
      lives: () => life,
      reap: (sessions) => {
        reaped.push(...sessions);
        return reaping;
      },
    });
  });

  afterEach(() => leases.stop());

  const gone = (): Promise<true> => until('the reaping', () => reaped.length > 0, { intervalMs: 5 });
  const stateOf = (session: string) => leases.all.find((one) => one.session === session)?.state;

  it('reaps a session a grace after it left, once', async () => {
    leases.connected(owner('a'));
    const left = performance.now();
    leases.disconnected('a');
    await gone();
    assert.deepEqual([reaped, performance.now() - left >= GRACE_MS - 5, leases.has('a')], [['a'], true, false]);
  });

  it('sees the end of a process that nobody tells of', async () => {
    leases.connected(owner('a', PROCESS));
    leases.disconnected('a');
    assert.equal(stateOf('a'), 'lingering');
    life = 'recycled';
    await gone();
    assert.deepEqual(reaped, ['a']);
  });

  it('does not take an hour of sleep for an absence', async () => {
    leases.connected(owner('a'));
    leases.disconnected('a');
    const slept = performance.now();
    jump = 3_600_000;
    leases.claimed(owner('other'));
    assert.deepEqual([stateOf('a'), reaped], ['leaving', []]);
    await gone();
    assert.ok(performance.now() - slept > GRACE_MS / 4);
  });

  it('keeps what is left of a grace when its length changes', async () => {
    leases.connected(owner('a'));
    leases.retune(60_000);
    leases.disconnected('a');
    assert.ok((leases.all[0]?.leftMs ?? 0) > 59_000);
    leases.retune(50);
    await gone();
    assert.deepEqual(reaped, ['a']);
  });

  it('begins a new lease for who comes while the old one is being reaped', async () => {
    let finish = (): void => {};
    reaping = new Promise((resolve) => {
      finish = resolve;
    });
    leases.connected(owner('a'));
    leases.disconnected('a');
    await gone();
    leases.connected(owner('a'));
    const during = stateOf('a');
    finish();
    await until('the new lease', () => stateOf('a') === 'held');
    assert.deepEqual([during, reaped], ['ending', ['a']]);
  });

  it('counts each hello of a session and not its name alone', async () => {
    leases.connected(owner('a'));
    leases.connected(owner('a'));
    leases.disconnected('a');
    assert.equal(stateOf('a'), 'held');
  });

  it('reaps nothing any more once it is stopped', async () => {
    leases.connected(owner('a'));
    leases.disconnected('a');
    leases.stop();
    const end = performance.now() + 2 * GRACE_MS;
    await until('two graces', () => performance.now() > end);
    assert.deepEqual(reaped, []);
  });
});
