import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bootId, identify, isValidPid, judge, liveness } from '../../../server/process/identity.ts';
import type { Observation } from '../../../server/process/platform/types.ts';
import type { Liveness, ProcessIdentity } from '../../../server/process/types.ts';
import { bareTree, endBareTrees } from '../../support/bareTree.ts';
import { BOOT, identityOf } from '../../support/tableOf.ts';
import { until } from '../../support/until.ts';

const OTHER_BOOT = '99999999-2222-3333-4444-555555555555';

function present(start: string, dead = false): Observation {
  const row = { pid: 7, parent: 1, group: 7, session: 7, state: dead ? 'Z' : 'S', startTime: start, name: 'x' };
  return { kind: 'present', row, dead };
}
const absent: Observation = { kind: 'absent' };
const hidden: Observation = { kind: 'hidden', detail: 'EMFILE' };

describe('liveness of an identity', () => {
  after(endBareTrees);

  const matrix: [string, ProcessIdentity, Observation, string, Liveness][] = [
    ['same start time is alive', identityOf(7, 70), present('70'), BOOT, 'alive'],
    ['same start time but ended is a zombie (R4)', identityOf(7, 70), present('70', true), BOOT, 'zombie'],
    ['another start time is recycled (R5)', identityOf(7, 70), present('71'), BOOT, 'recycled'],
    ['another start time is recycled even as a zombie (R5)', identityOf(7, 70), present('71', true), BOOT, 'recycled'],
    ['nobody has the pid: gone', identityOf(7, 70), absent, BOOT, 'gone'],
    ['nobody has the pid: gone, whatever the record lacks', { ...identityOf(7), startTime: '' }, absent, BOOT, 'gone'],
    ['no start time in the record: unknown (R6)', { ...identityOf(7), startTime: '' }, present('70'), BOOT, 'unknown'],
    ['no start time to be read: unknown (R6)', identityOf(7, 70), present(''), BOOT, 'unknown'],
    [
      'another boot, same pid and start time: recycled (R7)',
      identityOf(7, 70, OTHER_BOOT),
      present('70'),
      BOOT,
      'recycled',
    ],
    ['another boot and nobody has the pid: gone (R7)', identityOf(7, 70, OTHER_BOOT), absent, BOOT, 'gone'],
    ['boot id of another form: unknown', identityOf(7, 70, 'kern.boottime=5'), present('70'), BOOT, 'unknown'],
    ['no boot id in the record: unknown', identityOf(7, 70, ''), present('70'), BOOT, 'unknown'],
    ['no boot id to be read: unknown', identityOf(7, 70, ''), present('70'), '', 'unknown'],
    ['exists but cannot be read: unknown', identityOf(7, 70), hidden, BOOT, 'unknown'],
    [
      'exists, cannot be read, but was of another boot: recycled',
      identityOf(7, 70, OTHER_BOOT),
      hidden,
      BOOT,
      'recycled',
    ],
    ['start times are compared as text, not as numbers (R10)', identityOf(7, 70), present('070'), BOOT, 'recycled'],
  ];
  for (const [name, identity, seen, boot, expected] of matrix) {
    it(name, () => assert.equal(judge(identity, seen, boot), expected));
  }

  for (const pid of [0, -1, Number.NaN, 1.5, 2 ** 31, Number.POSITIVE_INFINITY, '1', null, undefined]) {
    it(`pid ${JSON.stringify(pid) ?? 'undefined'} (${String(pid)}) is never alive (R1)`, () => {
      assert.equal(isValidPid(pid), false);
      assert.equal(liveness({ pid: pid as number, startTime: '1', bootId: bootId() }), 'gone');
      assert.equal(identify(pid as number), null);
    });
  }

  it('finds this very process alive', () => {
    const identity = identify(process.pid);
    assert.ok(identity);
    assert.equal(liveness(identity), 'alive');
  });

  it('calls this pid with another start time recycled (R5)', () => {
    assert.equal(liveness({ pid: process.pid, startTime: '1', bootId: bootId() }), 'recycled');
  });

  it('counts a process that we may not signal as alive (R2)', function () {
    // Pid 1 belongs to another user, unless the tests run as root; its start time can be read all the same.
    const identity = identify(1);
    if (identity === null) this.skip();
    assert.equal(liveness(identity), 'alive');
  });

  it('calls an ended process gone', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const identity = identify(child.pid ?? 0);
    assert.ok(identity);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(liveness(identity), 'gone');
  });

  it('takes a zombie for dead (R4)', async function () {
    if (process.platform !== 'linux') this.skip();
    // The shell becomes a program that never waits for the child that the shell had started.
    const { lines, child } = await bareTree(['sh', '-c', 'sleep 0.05 & echo $!; exec sleep 60']);
    const pid = Number(lines[0]);
    await until('the child to be a zombie', () => identify(pid) === null, { intervalMs: 2 });
    // A zombie still takes signals: this is what makes kill(pid, 0) lie.
    assert.doesNotThrow(() => process.kill(pid, 0));
    child.kill('SIGKILL');
  });

  it('is not misled by a name such as `a) R 1 (x`', async function () {
    if (process.platform !== 'linux') this.skip();
    const program =
      "require('fs').writeFileSync('/proc/self/comm', 'a) R 1 (x'); console.log('named'); setTimeout(() => {}, 60000)";
    const { tree, child } = await bareTree([process.execPath, '-e', program]);
    assert.equal(liveness(tree.leader), 'alive');
    assert.match(identify(tree.leader.pid)?.startTime ?? '', /^[1-9]\d*$/);
    assert.equal(identify(tree.leader.pid)?.startTime, tree.leader.startTime);
    child.kill('SIGKILL');
  });
});
