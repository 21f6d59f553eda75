import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { lockPath } from '../../server/store/paths.ts';
import { readRegistry } from '../../server/store/registry.ts';
import { lockCopyPath } from '../../server/store/stateDirectory.ts';
import type { SupervisorLock } from '../../server/store/types.ts';
import { untilSucceeded } from '../support/successor.ts';
import {
  closeWorkspaces,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';
import type { RunningCommand } from '../support/workspace.ts';

describe('a supervisor whose workspace another one holds', () => {
  afterEach(closeWorkspaces);

  async function serve(workspace: SupervisedWorkspace): Promise<RunningCommand> {
    const served = workspace.begin(['serve']);
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    return served;
  }

  /** Puts a lock in place of the present one, as a takeover does. */
  function replaceLock(workspace: SupervisedWorkspace, change: Partial<SupervisorLock>): void {
    const text = `${JSON.stringify({ ...workspace.lock, ...change, nonce: 'ab'.repeat(16) })}\n`;
    const aside = join(dirname(workspace.root), 'lock');
    writeFileSync(aside, text);
    renameSync(aside, lockPath(workspace.root));
  }

  function writtenBy(workspace: SupervisedWorkspace, pid: number): number[] {
    return workspace.events.filter((one) => one.supervisor === pid).map((one) => one.seq);
  }

  it('exits 4 and leaves its trees to one of the same state, host and pid namespace, and writes nothing that is its', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const served = await serve(workspace);
    const first = workspace.supervisor();
    const leaders = [workspace.leader('web'), workspace.leader('other')];
    const before = writtenBy(workspace, first.pid);
    replaceLock(workspace, { ...identify(process.pid) });
    assert.equal((await served.ended).code, 4);
    assert.deepEqual(leaders.map(isAlive), [true, true]);
    assert.deepEqual(writtenBy(workspace, first.pid), before);
    assert.equal(workspace.lock?.pid, process.pid);
    unlinkSync(lockPath(workspace.root));
    unlinkSync(lockCopyPath(workspace.stateDir));
    await workspace.up();
    assert.deepEqual([workspace.leader('web'), workspace.leader('other')], leaders);
    assert.equal(workspace.marked.length, 2);
  });

  it('exits 4 with its trees stopped when that one keeps its state elsewhere (R33, R105)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const served = await serve(workspace);
    const processes = workspace.processes();
    const stateDir = join(dirname(workspace.root), 'elsewhere');
    mkdirSync(stateDir);
    replaceLock(workspace, { ...identify(process.pid), stateDir });
    assert.equal((await served.ended).code, 4);
    await untilGone(processes, 0);
    assert.equal(workspace.eventsNamed('lock_lost').length, 1);
    unlinkSync(lockPath(workspace.root));
  });

  it('exits 4 with its trees stopped when that one is of another pid namespace, and leaves the shared files alone', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const served = await serve(workspace);
    const processes = workspace.processes();
    const registry = (): string =>
      ['registry.json', 'registry.changes.jsonl']
        .map((name) => readFileSync(join(workspace.stateDir, name), 'utf8'))
        .join();
    await until('the registry to be at rest', () => registry().endsWith('\n,'));
    const before = [registry(), workspace.events.length];
    replaceLock(workspace, { ...identify(process.pid), pidNamespace: 'pid:[1]' });
    assert.equal((await served.ended).code, 4);
    await untilGone(processes, 0);
    assert.deepEqual([registry(), workspace.events.length], before);
    unlinkSync(lockPath(workspace.root));
  });

  it('that was stopped while it lost the lock does nothing when it goes on: no second copy, no write, exit 4', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, restart: 'always' }, other: STEADY } });
    const served = await serve(workspace);
    const first = workspace.supervisor();
    const [web, other] = [workspace.leader('web'), workspace.leader('other')];
    signal(first, 'SIGSTOP');
    const before = writtenBy(workspace, first.pid);
    // What protects a living supervisor that is only slow: both must be gone for another to win.
    rmSync(lockCopyPath(workspace.stateDir));
    rmSync(lockPath(workspace.root));
    const second = workspace.begin(['serve']);
    await untilSucceeded(workspace, first);
    // Both are told of this end: the one that was stopped finds it waiting when it goes on.
    signal(web, 'SIGKILL');
    await workspace.untilService('web', (one) => one.state === 'ready' && one.incarnation === 2);
    signal(first, 'SIGCONT');
    assert.equal((await served.ended).code, 4);
    assert.deepEqual(writtenBy(workspace, first.pid), before);
    assert.deepEqual([isAlive(other), workspace.leader('other')], [true, other]);
    assert.equal(workspace.marked.length, 2);
    assert.equal(readRegistry(workspace.stateDir).supervisor?.pid, workspace.lock?.pid);
    assert.deepEqual(
      (await workspace.status()).services.map(({ state, incarnation }) => [state, incarnation]),
      [
        ['ready', 2],
        ['ready', 1],
      ],
    );
    second.child.kill('SIGTERM');
    await second.ended;
  });
});
