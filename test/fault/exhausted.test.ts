import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectResult, connect } from '../../server/api/client.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { describeWithMounts, makeReadOnly, removeSmallDisks } from '../support/smallDisk.ts';
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

const QUICK = { ...STEADY, restart: { policy: 'on-failure', backoff: { initial: '50ms', max: '200ms' } } };

const lifts: (() => void)[] = [];

/** From now on the process can open nothing that has no number below `limit`; gives the way back. */
function limitDescriptors({ pid }: ProcessIdentity, limit: number): () => void {
  const soft = /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? '1024';
  const set = (number: string): void => {
    const { stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${number}:`], { encoding: 'utf8' });
    assert.equal(stderr, '');
  };
  set(String(limit));
  let limited = true;
  const lift = (): void => {
    if (limited) set(soft);
    limited = false;
  };
  lifts.push(lift);
  return lift;
}

/** The number of the first descriptor that a process at rest has not opened. */
async function firstFree({ pid }: ProcessIdentity): Promise<number> {
  const open = (): number[] => readdirSync(`/proc/${pid}/fd`).map(Number);
  let before: number[] = [];
  await until(
    'rest',
    () => {
      const now = open();
      const same = now.join() === before.join();
      before = now;
      return same;
    },
    { intervalMs: 200 },
  );
  let free = 0;
  while (before.includes(free)) free += 1;
  return free;
}

function connectTo(workspace: SupervisedWorkspace): Promise<ConnectResult> {
  return connect(workspace.lock?.endpoint ?? '', { kind: 'other', pid: process.pid, version: '', session: null });
}

describe('a running supervisor that is left without', () => {
  afterEach(async () => {
    for (const lift of lifts.splice(0)) lift();
    removeSmallDisks();
    await closeWorkspaces();
  });

  describe('descriptors', () => {
    before(function () {
      if (spawnSync('prlimit', ['--version']).status !== 0) this.skip();
    });

    it('keeps its services and its workspace, and answers again afterwards', async () => {
      const workspace = openWorkspace({ services: { web: QUICK, other: QUICK } });
      const supervisor = await workspace.up();
      const leaders = [workspace.leader('web'), workspace.leader('other')];
      const lift = limitDescriptors(supervisor, 3);
      const asked = workspace.begin(['ps']);
      await until('a refused connection', async () => !(await connectTo(workspace)).ok);
      assert.deepEqual([isAlive(supervisor), ...leaders.map(isAlive)], [true, true, true]);
      lift();
      // A command that came meanwhile has its answer as well.
      assert.equal((await asked.ended).code, 0);
      await workspace.untilService('web', (one) => one.state === 'ready');
      assert.deepEqual(workspace.supervisor(), supervisor);
    });

    it('fails a start by name, and the same start works once there are some again', async () => {
      const workspace = openWorkspace({
        services: { web: QUICK, other: { ...STEADY, enabled: false, restart: 'no' } },
      });
      const supervisor = await workspace.up();
      const web = workspace.leader('web');
      // Connected beforehand, as a new connection would take what there is.
      const connected = await connect(workspace.lock?.endpoint ?? '', {
        kind: 'other',
        pid: 1,
        version: '',
        session: null,
      });
      assert.ok(connected.ok);
      const lift = limitDescriptors(supervisor, 3);
      await connected.client.request('start', { names: ['other'] });
      const failed = await until('the failure', () => workspace.eventsNamed('spawn_failed')[0]);
      lift();
      assert.match(String(failed.message), /EMFILE|file handles/);
      await connected.client.request('reset', { names: ['other'] });
      await connected.client.request('start', { names: ['other'] });
      await workspace.untilService('other', (one) => one.state === 'ready');
      connected.client.close();
      assert.deepEqual([isAlive(web), workspace.supervisor()], [true, supervisor]);
    });

    it('starts a service that crashed meanwhile anew as soon as it can', async () => {
      const workspace = openWorkspace({ services: { web: QUICK } });
      const supervisor = await workspace.up();
      const web = workspace.leader('web');
      const lift = limitDescriptors(supervisor, await firstFree(supervisor));
      signal(web, 'SIGKILL');
      await untilGone([web]);
      await until('a failed start', () => workspace.eventsNamed('spawn_failed').length > 0);
      lift();
      const service = await workspace.untilService('web', (one) => one.state === 'ready');
      assert.deepEqual([(service.incarnation ?? 0) > 1, workspace.marked.length], [true, 1]);
    });
  });

  describeWithMounts('a place to write', import.meta.filename, () => {
    it('keeps its services when the state directory becomes read-only, says so, and records all afterwards', async () => {
      const workspace = openWorkspace({ services: { web: QUICK, other: QUICK } });
      const supervisor = await workspace.up();
      const leaders = [workspace.leader('web'), workspace.leader('other')];
      const registry = join(workspace.stateDir, 'registry.json');
      await until('the whole registry', () => existsSync(registry));
      const writable = makeReadOnly(workspace.stateDir);
      await workspace.run('stop', 'other');
      await until('the warning', () => workspace.eventsNamed('health_warn').some((one) => one.code === 'EROFS'));
      const start = await workspace.run('start', 'other');
      const waited = await workspace.run('wait', 'other', '--timeout', '3s');
      assert.notEqual(start.code === 0 ? waited.code : start.code, 0);
      assert.match(String(workspace.eventsNamed('spawn_failed')[0]?.message), /EROFS|read-only/i);
      assert.deepEqual([isAlive(supervisor), isAlive(leaders[0]!)], [true, true]);
      writable();
      await until('the end of the trouble', () => workspace.eventsNamed('health_recovered').length > 0);
      await workspace.run('reset', 'other');
      await workspace.run('start', 'other');
      await workspace.untilService('other', (one) => one.state === 'ready');
    });

    it('is succeeded with all its trees when it is killed while the workspace is read-only', async () => {
      const workspace = openWorkspace({ services: { web: QUICK } });
      const first = await workspace.up();
      const web = workspace.leader('web');
      const writable = makeReadOnly(workspace.root);
      const status = await workspace.status();
      assert.equal(status.services[0]?.state, 'ready');
      signal(first, 'SIGKILL');
      await untilGone([first]);
      // Whoever asks meanwhile is told why there is none.
      const end = await workspace.run('up', '--detach');
      assert.equal(end.code, 1);
      assert.match(end.stderr, /EROFS|read-only/i);
      writable();
      await workspace.successorOf(first);
      assert.deepEqual([(await workspace.service('web')).pid, workspace.marked.length], [web.pid, 1]);
    });
  });
});
