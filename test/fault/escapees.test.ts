import assert from 'node:assert/strict';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findKeepers } from '../../server/process/keeper.ts';
import { census, createLedger } from '../../server/process/membership.ts';
import { readProcessTable } from '../../server/process/table.ts';
import { terminateTree } from '../../server/process/termination.ts';
import type { EmptyProof } from '../../server/process/types.ts';
import { endEscapees, leftOf, startEscapee } from '../support/escapees.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** A tree that tries to slip away. `expected` counts the pids that it prints once all of it runs. */
interface Escape {
  readonly name: string;
  readonly argv: () => [string, ...string[]];
  readonly expected: number;
  readonly needs?: readonly string[];
  readonly stopTimeoutMs?: number;
  readonly killed?: boolean;
}

const rounds = Number(process.env.COPPICE_TEST_ROUNDS ?? 50);
const daemon = join(import.meta.dirname, '../support/programs/close-and-leave.py');
const shell = (script: string, name = 'sh'): (() => [string, ...string[]]) => {
  return () => [find(name) ?? name, '-c', script];
};

const escapes: readonly Escape[] = [
  { name: 'a plain child', argv: shell('echo $$; exec sleep 600'), expected: 1 },
  { name: 'sh -c with a child', argv: shell('sleep 600 & echo $!; wait'), expected: 1 },
  {
    name: 'a job in a group of its own (set -m)',
    argv: shell('set -m; sleep 600 & echo $!; wait', 'bash'),
    expected: 1,
    needs: ['bash'],
  },
  {
    name: 'a session of its own (setsid)',
    argv: shell('setsid sleep 600 & echo $!; wait'),
    expected: 1,
    needs: ['setsid'],
  },
  {
    name: 'a double fork',
    argv: shell("(setsid sh -c 'sleep 600 & echo $!' &); exec sleep 600"),
    expected: 1,
    needs: ['setsid'],
  },
  {
    name: 'a double fork with an emptied environment (env -i setsid)',
    argv: shell("(env -i PATH=/usr/bin:/bin setsid sh -c 'sleep 600 & echo $!' &); exec sleep 600"),
    expected: 1,
    needs: ['setsid'],
  },
  { name: 'a leader that exits while its children live', argv: shell('sleep 600 & echo $!'), expected: 1 },
  {
    name: 'a child that ignores SIGTERM',
    argv: shell('trap "" TERM; sleep 600 & echo $!; wait; sleep 600'),
    expected: 1,
    stopTimeoutMs: 30,
    killed: true,
  },
  {
    name: 'a Python daemon with closed descriptors',
    argv: () => [find('python3') ?? 'python3', daemon],
    expected: 1,
    needs: ['python3'],
  },
  { name: 'npm -> sh -> node', argv: npmStart, expected: 1, needs: ['npm'] },
];

function assertEmpty(proof: EmptyProof): void {
  assert.deepEqual(proof.survivors, []);
  assert.ok(proof.emptyScans >= 2, `${proof.emptyScans} empty scans`);
}

/** One that leaves the group just as the group is signalled is asked once more, and not left to SIGKILL. */
function assertPrompt(proof: EmptyProof, runaway: Escape): void {
  assert.equal(proof.killed, runaway.killed ?? false, JSON.stringify(proof));
  assert.ok(proof.durationMs < 2500, `took ${proof.durationMs} ms`);
}

describe('a stopped tree leaves nobody behind', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  afterEach(endEscapees);

  for (const runaway of escapes) {
    it(`after ${runaway.name}, ${rounds} times (R39)`, async function () {
      this.timeout(120_000);
      skipWithout(this, runaway);
      for (let round = 0; round < rounds; round++) {
        const tree = await startEscapee(runaway.argv(), runaway.expected);
        const proof = await terminateTree(tree.identity, {
          stopSignal: 'SIGTERM',
          stopTimeoutMs: runaway.stopTimeoutMs ?? 5000,
        });
        assert.deepEqual(leftOf(tree), [], `round ${round}`);
        assertEmpty(proof);
        assertPrompt(proof, runaway);
      }
    });
  }
});

describe('a tree whose keeper was killed leaves nobody behind who can be found', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  afterEach(endEscapees);

  for (const runaway of escapes) {
    // Nothing holds this one but the keeper and the ledger: it has a test of its own.
    if (runaway.name.includes('emptied')) continue;
    const count = Math.min(rounds, 10);
    it(`after ${runaway.name}, ${count} times`, async function () {
      this.timeout(120_000);
      skipWithout(this, runaway);
      for (let round = 0; round < count; round++) {
        const tree = await startEscapee(runaway.argv(), runaway.expected);
        killKeeper(tree.identity.keeper?.pid);
        const proof = await terminateTree(tree.identity, {
          stopSignal: 'SIGTERM',
          stopTimeoutMs: runaway.stopTimeoutMs ?? 5000,
        });
        assert.deepEqual(leftOf(tree), [], `round ${round}`);
        assertEmpty(proof);
        assertPrompt(proof, runaway);
      }
    });
  }

  it('after an emptied environment in a session of its own, when the ledger saw it before', async function () {
    const runaway = escapes.find(({ name }) => name.includes('emptied'))!;
    skipWithout(this, runaway);
    for (let round = 0; round < 10; round++) {
      const tree = await startEscapee(runaway.argv(), runaway.expected);
      const ledger = createLedger();
      ledger.observe(census(readProcessTable(), tree.identity, ledger));
      killKeeper(tree.identity.keeper?.pid);
      assertEmpty(await terminateTree(tree.identity, { stopSignal: 'SIGTERM', stopTimeoutMs: 5000, ledger }));
      assert.deepEqual(leftOf(tree), [], `round ${round}`);
    }
  });
});

describe('a tree under the shell keeper, which is no reaper, leaves nobody behind who can be found', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  afterEach(endEscapees);
  const keeper = findKeepers().find(({ kind }) => kind === 'shell')!;

  for (const runaway of escapes) {
    // Neither descent nor marker nor session holds this one here.
    if (runaway.name.includes('emptied')) continue;
    const count = Math.min(rounds, 5);
    it(`after ${runaway.name}, ${count} times`, async function () {
      this.timeout(120_000);
      skipWithout(this, runaway);
      for (let round = 0; round < count; round++) {
        const tree = await startEscapee(runaway.argv(), runaway.expected, { keepers: [keeper] });
        assert.equal(tree.identity.keeper, null);
        const stopTimeoutMs = runaway.stopTimeoutMs ?? 5000;
        const proof = await terminateTree(tree.identity, { stopSignal: 'SIGTERM', stopTimeoutMs });
        assert.deepEqual(leftOf(tree), [], `round ${round}`);
        assertEmpty(proof);
        assertPrompt(proof, runaway);
      }
    });
  }
});

function skipWithout(test: Mocha.Context, runaway: Escape): void {
  const missing = (runaway.needs ?? []).filter((name) => find(name) === null);
  if (missing.length === 0) return;
  console.log(`      skipped, as this machine has no ${missing.join(' and no ')}`);
  test.skip();
}

/** The keeper is the test's own child; nothing but the test knows its pid. */
function killKeeper(pid: number | undefined): void {
  assert.ok(pid !== undefined && pid > 1, 'a native keeper runs here');
  process.kill(pid, 'SIGKILL');
}

/** System folders go first: a version manager's shim is a slow program of its own. */
function find(name: string): string | null {
  const folders = ['/usr/bin', '/bin', '/usr/local/bin', ...(process.env.PATH ?? '').split(':')];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {}
  }
  return null;
}

function npmStart(): [string, ...string[]] {
  const folder = temporaryFolder('npm');
  mkdirSync(join(folder, 'package'));
  const program = 'console.log(process.pid); setInterval(() => {}, 1e9);';
  writeFileSync(join(folder, 'package/server.js'), program);
  const scripts = { start: "sh -c 'node server.js; true'" };
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify({ name: 'escapee', version: '1.0.0', scripts }));
  return [find('npm') ?? 'npm', '--prefix', join(folder, 'package'), '--no-update-notifier', 'start'];
}
