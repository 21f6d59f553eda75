import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bootId, identify, liveness } from '../../../server/process/identity.ts';
import { signalGroup, signalProcess } from '../../../server/process/signal.ts';
import { bareTree, endBareTrees } from '../../support/bareTree.ts';
import { until } from '../../support/until.ts';

const server = join(import.meta.dirname, '../../../server');
const WAITS = ['sh', '-c', 'echo up; exec sleep 60'] as const;

describe('a signal to one process', () => {
  after(endBareTrees);

  for (const pid of [0, -1, 1, process.pid, Number.NaN, 1.5, 2 ** 31]) {
    it(`is refused for pid ${pid === process.pid ? 'of the caller' : pid} (R1)`, () => {
      const startTime = identify(pid)?.startTime ?? '1';
      assert.equal(signalProcess({ pid, startTime, bootId: bootId() }, 'SIGCONT'), 'refused');
    });
  }

  it('is refused for a pid that is a string (R1)', () => {
    assert.equal(
      signalProcess({ pid: '77' as unknown as number, startTime: '1', bootId: bootId() }, 'SIGCONT'),
      'refused',
    );
  });

  it('reaches the process that was meant', async () => {
    const { tree, child } = await bareTree(WAITS);
    assert.equal(signalProcess(tree.leader, 'SIGTERM'), 'delivered');
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGTERM');
  });

  it('does not reach a process with another start time (R5, R8)', async () => {
    const { tree, child } = await bareTree(WAITS);
    assert.equal(signalProcess({ ...tree.leader, startTime: '1' }, 'SIGKILL'), 'recycled');
    assert.equal(liveness(tree.leader), 'alive');
    child.kill('SIGKILL');
  });

  it('does not reach a process without a start time (R6)', async () => {
    const { tree, child } = await bareTree(WAITS);
    assert.equal(signalProcess({ ...tree.leader, startTime: '' }, 'SIGKILL'), 'refused');
    assert.equal(liveness(tree.leader), 'alive');
    child.kill('SIGKILL');
  });

  it('says gone for one that ended', async () => {
    const { tree, child } = await bareTree(WAITS);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(signalProcess(tree.leader, 'SIGTERM'), 'gone');
  });

  it('is refused for a signal that does not exist', async () => {
    const { tree, child } = await bareTree(WAITS);
    assert.equal(signalProcess(tree.leader, 'SIGNONE' as NodeJS.Signals), 'refused');
    child.kill('SIGKILL');
  });

  it('tells a living process of another user from a dead one (R2)', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip();
    const { tree, child } = await bareTree(WAITS);
    const program = join(import.meta.dirname, '../../support/programs/signal-as-other-user.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [program, String(tree.leader.pid)]);
    assert.equal(stdout.trim(), 'alive permission permission');
    child.kill('SIGKILL');
  });
});

describe('a signal to a group', () => {
  after(endBareTrees);
  const family = ['sh', '-c', 'sleep 60 & echo $!; wait'] as const;

  it('reaches every process in it', async () => {
    const { tree, lines, child } = await bareTree(family);
    const second = identify(Number(lines[0]))!;
    assert.equal(signalGroup(tree, 'SIGKILL'), 'delivered');
    await once(child, 'exit');
    await until('the second one to end', () => liveness(second) !== 'alive', { intervalMs: 2 });
  });

  it('reaches a group without its leader through a verified member', async () => {
    const { tree, lines, child } = await bareTree(family);
    const second = identify(Number(lines[0]))!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(signalGroup(tree, 'SIGKILL'), 'gone');
    assert.equal(liveness(second), 'alive');
    assert.equal(signalGroup(tree, 'SIGKILL', [second]), 'delivered');
    await until('the second one to end', () => liveness(second) !== 'alive', { intervalMs: 2 });
  });

  it('is not sent when the leader has another start time (R40)', async () => {
    const { tree, child } = await bareTree(family);
    assert.equal(signalGroup({ ...tree, leader: { ...tree.leader, startTime: '1' } }, 'SIGKILL'), 'recycled');
    assert.equal(liveness(tree.leader), 'alive');
    signalGroup(tree, 'SIGKILL');
    await once(child, 'exit');
  });

  it('is not sent on the word of a witness from another group', async () => {
    const { tree, child } = await bareTree(family);
    const other = await bareTree(WAITS);
    const forged = { ...tree, leader: { ...tree.leader, startTime: '1' } };
    assert.equal(signalGroup(forged, 'SIGKILL', [other.tree.leader]), 'recycled');
    assert.equal(liveness(tree.leader), 'alive');
    signalGroup(tree, 'SIGKILL');
    signalGroup(other.tree, 'SIGKILL');
    await once(child, 'exit');
  });

  for (const group of [0, 1, -1, Number.NaN, 1.5]) {
    it(`is refused for group ${group} (R1)`, () => {
      const self = identify(process.pid)!;
      assert.equal(signalGroup({ leader: self, group, session: group }, 'SIGCONT'), 'refused');
    });
  }

  it("is refused for the caller's own group", async () => {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pgid=', '-p', String(process.pid)]);
    const self = identify(process.pid)!;
    assert.equal(signalGroup({ leader: self, group: Number(stdout), session: Number(stdout) }, 'SIGCONT'), 'refused');
  });
});

describe('the one place for signals', () => {
  it('is signal.ts: no other file of the server signals or probes by signal 0 (R3)', () => {
    const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const offenders = files.filter((file) => /\bprocess\.kill\(|\bkill\([^)]*,\s*0\)/.test(code(join(server, file))));
    assert.deepEqual(offenders, [join('process', 'signal.ts')]);
  });
});

/** The text of a source file without its comments. */
function code(file: string): string {
  return readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}
