import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { memoryLimit, treeMemory, treeProportionalMemory } from '../../../server/process/memory.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../support/temporary.ts';

const MB = 1024 ** 2;
const program = join(import.meta.dirname, '../../support/programs/hold-memory.py');
const children: ChildProcess[] = [];

/** Starts a child that holds memory; resolves with its pid, and what it said when every page is resident. */
async function start(...words: readonly string[]): Promise<{ child: ChildProcess; pid: number; said: string }> {
  const child = spawn('python3', [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  for await (const text of child.stdout) {
    said += text;
    if (said.endsWith('\n')) break;
  }
  assert.ok(child.pid !== undefined);
  return { child, pid: child.pid, said: said.trim() };
}

async function hold(...words: readonly string[]): Promise<number> {
  const { pid, said } = await start(...words);
  assert.equal(said, 'held');
  return pid;
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('memory of a tree', function () {
  this.timeout(30_000);
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const ended = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  });
  after(removeTemporaryFolders);

  it('does not count a file of 1 GB that is mapped and in memory', async () => {
    const pid = await hold('file', String(1024 * MB), join(temporaryFolder('memory'), 'mapped'));
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    assert.ok(Number(resident?.[1]) > 1000 * 1024, 'the file is not resident, so nothing is tested');
    const { bytes, fallback } = await treeMemory([pid]);
    assert.ok(bytes < 64 * MB, `${bytes} bytes`);
    assert.equal(fallback, false);
  });

  it('shows 300 MB that a process allocated', async () => {
    const pid = await hold('anonymous', String(300 * MB));
    const { bytes } = await treeMemory([pid]);
    assert.ok(bytes >= 300 * MB && bytes < 340 * MB, `${bytes} bytes`);
  });

  it('counts shared memory', async () => {
    const pid = await hold('shared', String(200 * MB));
    const { bytes } = await treeMemory([pid]);
    assert.ok(bytes >= 200 * MB && bytes < 240 * MB, `${bytes} bytes`);
  });

  it('is the sum over its members, each counted once', async () => {
    const first = await hold('anonymous', String(50 * MB));
    const second = await hold('anonymous', String(60 * MB));
    const { bytes } = await treeMemory([first, second, first]);
    assert.ok(bytes >= 110 * MB && bytes < 150 * MB, `${bytes} bytes`);
  });

  it('is confirmed by the proportional figure, which leaves the mapped file out too', async () => {
    const file = await hold('file', String(300 * MB), join(temporaryFolder('memory'), 'mapped'));
    const anonymous = await hold('anonymous', String(300 * MB));
    const { bytes } = await treeProportionalMemory([file, anonymous]);
    assert.ok(bytes >= 300 * MB && bytes < 360 * MB, `${bytes} bytes`);
  });

  it('is 0 for a process that has vanished and for a zombie', async () => {
    const { child, pid, said } = await start('zombie', '0');
    const zombie = Number(said);
    assert.match(readFileSync(`/proc/${zombie}/status`, 'utf8'), /^State:\s+Z/m);
    assert.deepEqual(await treeMemory([zombie]), { bytes: 0, fallback: false });
    assert.deepEqual(await treeProportionalMemory([zombie]), { bytes: 0, fallback: false });
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(await treeMemory([pid]), { bytes: 0, fallback: false });
  });
});

describe('memoryLimit', () => {
  it('is a positive number of bytes, at most the RAM (R67)', () => {
    const limit = memoryLimit();
    assert.ok(limit > 0 && limit <= totalmem(), `${limit} of ${totalmem()}`);
  });
});
