import assert from 'node:assert/strict';
import { countFromOutside, parseConnections } from '../../../server/process/platform/linux/connections.ts';
import { type IdleSample, type IdleState, judgeIdle, watchIdle } from '../../../server/service/watch/idle.ts';
import { until } from '../../support/until.ts';

const unused: IdleSample = { connections: 0, outputEnd: 10 };

/** Whether it is idle at the last of the samples, which come 10 s apart from 0 on; idle after 30 s. */
function idleAfter(samples: readonly IdleSample[]): boolean {
  let state: IdleState = { usedAt: 0, outputEnd: null };
  let idle = false;
  samples.forEach((sample, index) => {
    ({ state, idle } = judgeIdle(state, sample, (index + 1) * 10_000, 30_000));
  });
  return idle;
}

describe('the verdict on idleness', () => {
  it('is idle after the whole time without use (R74)', () => {
    assert.equal(idleAfter([unused, unused, unused]), true);
  });

  it('is not idle before', () => {
    assert.equal(idleAfter([unused, unused]), false);
  });

  it('begins anew with a connection', () => {
    assert.equal(idleAfter([unused, unused, { ...unused, connections: 1 }, unused, unused]), false);
  });

  it('begins anew with a line of output', () => {
    assert.equal(idleAfter([unused, unused, { ...unused, outputEnd: 11 }, { ...unused, outputEnd: 11 }]), false);
  });

  it('is never idle where connections cannot be seen', () => {
    assert.equal(idleAfter(Array.from({ length: 20 }, () => ({ ...unused, connections: null }))), false);
  });
});

describe('watchIdle', () => {
  it('tells that the service is idle', async () => {
    const ended = new AbortController();
    let at = 0;
    let told = false;
    watchIdle({
      idleStopMs: () => 1_000,
      sample: async () => unused,
      signal: ended.signal,
      onIdle: () => (told = true),
      now: () => (at += 300),
      interval: () => 1,
    });
    await until('the verdict', () => told);
    ended.abort();
    assert.equal(told, true);
  });

  it('does not count the time during which idle stop was off', async () => {
    const ended = new AbortController();
    let at = 0;
    let looks = 0;
    const told: number[] = [];
    watchIdle({
      idleStopMs: () => (looks < 5 ? null : 1_000),
      sample: async () => unused,
      signal: ended.signal,
      onIdle: () => told.push(at),
      now: () => (at += 300),
      interval: () => {
        looks += 1;
        return 1;
      },
    });
    await until('the verdict', () => told.length > 0);
    ended.abort();
    assert.equal((told[0] ?? 0) > 5 * 300 + 1_000, true);
  });
});

describe('connections from outside', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    row(0, '0100007F:1F90', '00000000:0000', '0A', '100'),
    row(1, '0100007F:1F90', '0100007F:C001', '01', '101'),
    row(2, '0100007F:C001', '0100007F:1F90', '01', '102'),
    row(3, '0100007F:1F90', '0100007F:C002', '06', '0'),
  ].join('\n');
  const mapped = [
    row(0, '0000000000000000FFFF00000100007F:1F90', '0000000000000000FFFF00000100007F:C001', '01', '101'),
    row(1, '0100007F:C001', '0100007F:1F90', '01', '102'),
  ].join('\n');

  function row(index: number, local: string, remote: string, state: string, inode: string): string {
    return `   ${index}: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1`;
  }

  it('count established ones only, and only the end that serves', () => {
    assert.equal(countFromOutside(parseConnections(table), 8080, new Set(['100', '101'])), 1);
  });

  it('leave out those that the tree makes to itself', () => {
    assert.equal(countFromOutside(parseConnections(table), 8080, new Set(['100', '101', '102'])), 0);
  });

  it('find the peer of an IPv4 connection to an IPv6 socket', () => {
    assert.equal(countFromOutside(parseConnections(mapped), 8080, new Set(['101', '102'])), 0);
  });

  it('are none for another port', () => {
    assert.equal(countFromOutside(parseConnections(table), 8081, new Set()), 0);
  });
});
