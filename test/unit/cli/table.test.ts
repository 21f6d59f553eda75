import assert from 'node:assert/strict';
import { serviceTable, stateLine } from '../../../server/cli/table.ts';
import { displayWidth } from '../../../server/cli/width.ts';
import { serviceStatus } from '../../support/serviceStatus.ts';

const NOW = 1_000_000;
const SERVICES = [
  serviceStatus('web', {
    state: 'ready',
    pid: 4711,
    url: 'http://localhost:5173/',
    port: 5173,
    memoryMb: 120,
    restarts: 2,
    startedAt: NOW - 66_200,
    readyAt: NOW - 65_000,
  }),
  serviceStatus('a-service-with-a-rather-long-name', {
    state: 'failed',
    crashes: 8,
    detail: 'crashed 8 times, each within 5m of the one before; last exit: code 1',
  }),
  serviceStatus('日本', { state: 'backoff', detail: 'in 4s' }),
];

describe('the table of services', () => {
  it('shows state as symbol and word, pid, address, memory, restarts and a detail', () => {
    const lines = serviceTable(SERVICES, { colours: false, columns: Number.POSITIVE_INFINITY, now: NOW });
    assert.equal(
      lines[0],
      'NAME                               STATE            PID  ADDRESS                 MEMORY  RESTARTS  DETAIL',
    );
    assert.equal(
      lines[1],
      'web                                ● ready         4711  http://localhost:5173/   120MB         2  for 1m 5s',
    );
    assert.match(lines[2] ?? '', /✗ failed .* crashed 8 times, each within 5m of the one before; last exit: code 1$/);
  });

  it('does not say of every line that it belongs to the terminal that shows it', () => {
    const mine = serviceStatus('web', { state: 'ready', pid: 1, owner: 'up-1-x', ownerKind: 'terminal' });
    const style = { colours: false, columns: 200, now: NOW };
    assert.match(serviceTable([mine], style)[1] ?? '', /of terminal up-1-x$/);
    assert.doesNotMatch(serviceTable([mine], { ...style, session: 'up-1-x' })[1] ?? '', /terminal/);
  });

  for (const columns of [200, 100, 80, 60, 40, 20]) {
    it(`fits into ${columns} columns`, () => {
      for (const line of serviceTable(SERVICES, { colours: true, columns, now: NOW })) {
        assert.ok(displayWidth(line) <= columns, `${displayWidth(line)}: ${line}`);
      }
    });
  }

  it('keeps the state on the narrowest terminal', () => {
    const lines = serviceTable(SERVICES, { colours: false, columns: 40, now: NOW });
    assert.match(lines[1] ?? '', /^web +● ready/);
  });

  it('takes control characters out of what others wrote', () => {
    const evil = serviceStatus('web', { state: 'backoff', detail: 'a\u001b[2Jb\u001b]0;title\u0007c\nd\re' });
    const lines = serviceTable([evil], { colours: false, columns: 200, now: NOW });
    assert.match(lines[1] ?? '', /abc d e$/);
  });

  it('says in one line what changed where no table can be repainted', () => {
    assert.equal(stateLine(SERVICES[0]!), 'web: ● ready  pid 4711, http://localhost:5173/, after 1.2s');
  });
});
