import assert from 'node:assert/strict';
import * as darwin from '../../../server/process/platform/darwin/parse.ts';
import { createSnapshotReader } from '../../../server/process/platform/snapshot.ts';
import * as windows from '../../../server/process/platform/windows/parse.ts';

/** Written after the documented format of `LC_ALL=C TZ=UTC0 ps -axo pid=,ppid=,pgid=,sess=,stat=,lstart=,comm=` on macOS. */
const DARWIN_TABLE = `    1     0     1      0 Ss   Sun Nov  3 08:11:02 2024     /sbin/launchd
  312     1   312      0 Ss   Sun Nov  3 08:11:09 2024     /usr/libexec/logd
51877 51870 51870      0 S+   Thu Nov 21 12:25:01 2024     /Applications/Visual Studio Code.app/Contents/MacOS/Electron
51901 51877 51901      0 Z    Thu Nov 21 12:25:03 2024     (node)
51950 51877 51950 16a3f0 UNs  Thu Nov 21 12:25:10 2024     node
`;

/** Written after the documented format of \`ps -axEww -o pid=,command=\`: the environment follows the command line. */
const DARWIN_ENVIRONMENT = `  312 /usr/libexec/logd
51950 node server.js --port 3000 TERM=xterm COPPICE_TREE=3f2a/web/4/9b1c PATH=/usr/bin
51960 node -e x NOT_COPPICE_TREE=a/b/1/c HOME=/Users/x
`;

const WINDOWS_TABLE =
  '0\t0\t0\tSystem Idle Process\r\n4\t0\t133766226711234567\tSystem\r\n' +
  '8812\t640\t133766229990000001\tnode.exe\r\n9000\t8812\t133766230000000000\tweird\tname.exe\r\n' +
  '9100\t4\t0\tRegistry\r\nGet-CimInstance : Access denied\r\n';

describe('the process table of macOS', () => {
  const rows = darwin.parseProcessTable(DARWIN_TABLE);

  it('reads one row a line', () => assert.deepEqual([...rows.keys()], [1, 312, 51877, 51901, 51950]));

  it('keeps blanks in a program path', () => {
    assert.equal(rows.get(51877)?.name, '/Applications/Visual Studio Code.app/Contents/MacOS/Electron');
  });

  it('gives a start time that padding of the day does not change (R10)', () => {
    assert.equal(rows.get(1)?.startTime, 'Sun Nov 3 08:11:02 2024');
    assert.equal(darwin.startTimeMs('Sun Nov 3 08:11:02 2024'), Date.UTC(2024, 10, 3, 8, 11, 2));
  });

  it('reads parent, group and state', () => {
    const { parent, group, state } = rows.get(51901)!;
    assert.deepEqual({ parent, group, state }, { parent: 51877, group: 51901, state: 'Z' });
  });

  it('does not take the address of a session for its number', () => assert.equal(rows.get(51950)?.session, 0));

  it('leaves out lines that it does not understand', () => {
    assert.equal(darwin.parseProcessTable('ps: cannot read\n 12 13\n\n').size, 0);
  });

  it('finds markers in the environment behind the command line, by the whole name', () => {
    assert.deepEqual([...darwin.parseMarkers(DARWIN_ENVIRONMENT)], [[51950, '3f2a/web/4/9b1c']]);
  });
});

describe('the process table of Windows', () => {
  const rows = windows.parseProcessTable(WINDOWS_TABLE);

  it('reads one row a process and leaves out the idle process and messages', () => {
    assert.deepEqual([...rows.keys()], [4, 8812, 9000, 9100]);
  });

  it('keeps creation times exact, which a number could not', () => {
    assert.equal(rows.get(8812)?.startTime, '133766229990000001');
  });

  it('has no start time, and so no identity, where the system gives none', () => {
    assert.equal(rows.get(9100)?.startTime, '');
  });

  it('keeps a tab in a name', () => assert.equal(rows.get(9000)?.name, 'weird\tname.exe'));
});

describe('a snapshot reader', () => {
  const own = { pid: process.pid, parent: 1, group: 0, session: 0, state: 'R', startTime: '5', name: 'node' };
  const reading = { rows: new Map([[process.pid, own]]), markerOf: () => null };

  it('concludes nothing about a living process before the first reading', () => {
    assert.equal(createSnapshotReader(async () => reading).observe(process.pid).kind, 'hidden');
  });

  it('knows a process from a fresh reading', async () => {
    const reader = createSnapshotReader(async () => reading);
    await reader.readTableAsync();
    assert.deepEqual(reader.observe(process.pid), { kind: 'present', row: own, dead: false });
  });

  it('concludes nothing from a reading that is too old', async () => {
    let now = 0;
    const reader = createSnapshotReader(
      async () => reading,
      () => now,
    );
    await reader.readTableAsync();
    now = 1001;
    assert.equal(reader.observe(process.pid).kind, 'hidden');
  });

  it('knows at once that nobody has a pid', async () => {
    const reader = createSnapshotReader(async () => reading);
    await reader.readTableAsync();
    assert.equal(reader.observe(0x7fff_fffe).kind, 'absent');
  });
});
