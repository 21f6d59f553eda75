import assert from 'node:assert/strict';
import { parseLsof, parsePs } from '../../../server/process/platform/darwin/ports.ts';
import { parseSocketTable, startedAt } from '../../../server/process/platform/linux/ports.ts';
import * as windows from '../../../server/process/platform/windows/ports.ts';
import { describePortHolder, type PortOwner } from '../../../server/process/ports.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     ';

describe('the socket tables of Linux', () => {
  it('give address, port, user and inode of a listener', () => {
    const row =
      '   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1124 1 00000000a205fc68 100 0 0 10 0';
    assert.deepEqual(parseSocketTable(`${head}\n${row}\n`), [
      { address: '127.0.0.1', port: 3000, listening: true, uid: 1000, inode: '1124' },
    ]);
  });
  it('tell a connection from a listener', () => {
    const row =
      '   1: 0100007F:0BB8 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 77 1 0000000000000000 20 4 30 10 -1';
    assert.equal(parseSocketTable(row)[0]?.listening, false);
  });
  const addresses: readonly [string, string][] = [
    ['00000000000000000000000001000000', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['0000000000000000FFFF00000100007F', '127.0.0.1'],
    ['000080FE000000005428FF00BFF8F3A1', 'fe80::ff:2854:a1f3:f8bf'],
  ];
  for (const [hex, address] of addresses) {
    it(`write ${hex} for ${address}`, () => {
      const row = `   0: ${hex}:EC45 ${'0'.repeat(32)}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 16833 1 0 100 0 0 10 0`;
      assert.deepEqual(parseSocketTable(row), [{ address, port: 60_485, listening: true, uid: 0, inode: '16833' }]);
    });
  }
  it('may be torn or empty', () => {
    assert.deepEqual(parseSocketTable(`${head}\n   0: 0100007F:0B`), []);
  });
});

describe('the start time of a process on Linux', () => {
  it('is the boot time plus the ticks, whatever the name of the process is', () => {
    const stat = `12 (a) R 1 (x) S 1 12 12 0 -1 4194560 ${'0 '.repeat(12)}4321 0 0`;
    assert.equal(startedAt(stat, 'cpu 1 2\nbtime 1700000000\nprocesses 9\n'), 1_700_000_043_210);
  });
  it('is not known of a process that is gone', () => {
    assert.equal(startedAt('', 'btime 1700000000\n'), null);
  });
});

describe('lsof on macOS', () => {
  it('gives pid, user, address and port of each listener', () => {
    assert.deepEqual(parseLsof('p9745\nu501\nf3\nn127.0.0.1:37241\nf4\nn[::1]:60485\np9750\nu0\nf7\nn*:58051\n'), [
      { port: 37_241, address: '127.0.0.1', pid: 9745, uid: 501, listening: true },
      { port: 60_485, address: '::1', pid: 9745, uid: 501, listening: true },
      { port: 58_051, address: '*', pid: 9750, uid: 0, listening: true },
    ]);
  });
  it('gives nothing when nobody listens', () => {
    assert.deepEqual(parseLsof(''), []);
  });
  it('is completed by ps with command and start', () => {
    assert.deepEqual(parsePs('Fri Nov 21 12:40:01 2025     node server.js --port 3000\n'), {
      command: 'node server.js --port 3000',
      since: new Date(2025, 10, 21, 12, 40, 1).getTime(),
    });
  });
});

describe('netstat on Windows', () => {
  const german = [
    '',
    'Aktive Verbindungen',
    '',
    '  Proto  Lokale Adresse         Remoteadresse          Status           PID',
    '  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN          1044',
    '  TCP    127.0.0.1:3000         127.0.0.1:51022        HERGESTELLT      5120',
    '  TCP    127.0.0.1:3000         127.0.0.1:51044        WARTEND          0',
    '  TCP    [::1]:5173             [::]:0                 ABHÖREN          7788',
    '  UDP    0.0.0.0:5353           *:*                                    2200',
    '',
  ].join('\r\n');
  it('knows a listener in any language, and leaves UDP and dead connections out', () => {
    assert.deepEqual(windows.parseNetstat(german), [
      { port: 135, address: '0.0.0.0', pid: 1044, uid: null, listening: true },
      { port: 3000, address: '127.0.0.1', pid: 5120, uid: null, listening: false },
      { port: 5173, address: '::1', pid: 7788, uid: null, listening: true },
    ]);
  });
  it('names only listeners of the processes asked for', async () => {
    const found = await windows.findListeners([7788, 5120], async () => german);
    assert.deepEqual(
      found.map(({ port }) => port),
      [5173],
    );
  });
  it('leaves a listener under a dead pid without command (R52)', async () => {
    assert.deepEqual(await windows.describeProcess(7788, async () => null), { command: '', since: null, marker: null });
  });
});

describe('describePortHolder', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const owner: PortOwner = {
    port: 3000,
    address: '127.0.0.1',
    pid: 4711,
    uid: process.getuid?.() ?? null,
    listening: true,
    command: 'node server.js',
    since: now - 7_500_000,
    marker: null,
  };
  it('names pid, command and age of a stranger', () => {
    assert.equal(
      describePortHolder(owner, false, now),
      'pid 4711 (node server.js), running for 2h 5m, not one of ours',
    );
  });
  it('names the service when the holder is ours, with slashes in its name', () => {
    const ours = { ...owner, marker: 'w1a2/web/admin/7/9f3c' };
    assert.equal(
      describePortHolder(ours, true, now),
      'pid 4711 (node server.js), running for 2h 5m, one of ours: web/admin, incarnation 7',
    );
  });
  it('names another workspace', () => {
    assert.match(
      describePortHolder({ ...owner, marker: 'w9/api/1/00' }, false, now),
      /another Coppice workspace: api, incarnation 1$/,
    );
  });
  it('says so when the holder is another user and cannot be looked into', () => {
    const hidden: PortOwner = { ...owner, pid: null, uid: 0, command: '', since: null };
    assert.equal(
      describePortHolder(hidden, false, now),
      'a process of the user with uid 0 that this user cannot look into',
    );
  });
  it('says that the port is the end of a connection', () => {
    assert.match(describePortHolder({ ...owner, listening: false }, false, now), /which uses it for a connection/);
  });
  it('lets no control character of a command line reach the terminal', () => {
    const text = describePortHolder({ ...owner, command: 'evil\x1b[2J\nname' }, false, now);
    assert.match(text, /\(evil \[2J name\)/);
  });
});
