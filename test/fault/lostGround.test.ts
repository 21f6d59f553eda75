import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lockPath, registryPath } from '../../server/store/paths.ts';
import { lockCopyPath } from '../../server/store/stateDirectory.ts';
import { closeWorkspaces, isAlive, listing, openWorkspace, STEADY, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('a supervisor whose ground is taken away', () => {
  afterEach(closeWorkspaces);

  /**
   * What is written between the look into a folder and its removal makes `rm -r` fail. It is tried again for as long as
   * it is the same folder: one that somebody has made anew is what must not be.
   */
  function removeWhileWritten(folder: string): void {
    const { ino } = statSync(folder);
    for (let left = 100; statSync(folder, { throwIfNoEntry: false })?.ino === ino; left -= 1) {
      try {
        rmSync(folder, { recursive: true });
      } catch (error) {
        if (left === 0 || (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      }
    }
    assert.equal(existsSync(folder), false, 'it was made anew');
  }

  it('claims a deleted lock again, as itself, and the journal says so', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    unlinkSync(lockPath(workspace.root));
    await until('the lock', () => workspace.lock !== null);
    assert.deepEqual([workspace.supervisor(), isAlive(leader)], [supervisor, true]);
    await until('the journal', () => workspace.eventsNamed('lock_reclaimed').length === 1);
  });

  it('claims it again as well when all of .coppice was removed', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const before = readdirSync(join(workspace.root, '.coppice')).sort();
    rmSync(join(workspace.root, '.coppice'), { recursive: true });
    await until('the lock', () => workspace.lock !== null);
    await until('the files', () => readdirSync(join(workspace.root, '.coppice')).length === before.length);
    assert.deepEqual(readdirSync(join(workspace.root, '.coppice')).sort(), before);
    assert.deepEqual(workspace.supervisor(), supervisor);
  });

  it('listens again when its socket was removed with its folder (it could never be reached again)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const { endpoint = '' } = workspace.lock ?? {};
    rmSync(dirname(endpoint), { recursive: true });
    await until('the socket', () => existsSync(endpoint));
    const { supervisor: shown } = await workspace.status();
    assert.equal(shown?.pid, supervisor.pid);
    assert.deepEqual(
      workspace.eventsNamed('health_warn').map(({ reason }) => reason),
      ['endpoint_removed'],
    );
  });

  it('is joined, not doubled, by an `up` that comes while the lock is missing', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    unlinkSync(lockPath(workspace.root));
    const end = await workspace.run('up', '--detach');
    assert.equal([0, 2].includes(end.code ?? -1), true, end.stderr);
    await until('the lock', () => workspace.lock !== null);
    assert.deepEqual(workspace.supervisor(), supervisor);
    assert.equal(workspace.eventsNamed('service_spawned').length, 1);
  });

  it('gives no number of the journal twice when lock and copy are removed and others come at the same time', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    for (let round = 0; round < 3; round += 1) {
      const { supervisor } = await workspace.status();
      assert.ok(supervisor !== null);
      unlinkSync(lockPath(workspace.root));
      unlinkSync(lockCopyPath(workspace.stateDir));
      // Any of them may win, this very supervisor as well; whoever does not ends in good order.
      await Promise.all([1, 2, 3].map(() => workspace.run('up', '--detach')));
      await until('one that answers', async () => (await workspace.status()).supervisor !== null);
    }
    const numbers = workspace.events.map(({ seq }) => seq);
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 1),
    );
    assert.equal(workspace.marked.length, 1);
  });

  it('stops everything and exits when the workspace is removed, and creates nothing again', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, cwd: '.' } } });
    const supervisor = await workspace.up();
    const processes = [supervisor, ...workspace.processes()];
    const { stateDir } = workspace;
    await until('the whole registry', () => existsSync(registryPath(stateDir)));
    const before = Object.keys(listing(stateDir));
    rmSync(workspace.root, { recursive: true });
    await untilGone(processes);
    assert.equal(existsSync(workspace.root), false);
    const allowed = [...before, 'logs/supervisor.own.log'];
    assert.deepEqual(
      Object.keys(listing(stateDir)).filter((path) => !allowed.includes(path)),
      [],
    );
    assert.deepEqual([workspace.records, workspace.events.at(-1)?.event], [[], 'supervisor_stopped']);
  });

  it('does not take a new folder at the same path for its own: it ends, and writes nothing into it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const processes = [supervisor, ...workspace.processes()];
    renameSync(workspace.root, `${workspace.root}.old`);
    mkdirSync(workspace.root);
    await untilGone(processes);
    assert.deepEqual(readdirSync(workspace.root), []);
    rmSync(workspace.root, { recursive: true });
    renameSync(`${workspace.root}.old`, workspace.root);
  });

  it('keeps services going when the state directory is removed, brings nothing of it back by itself, and says so', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    const { stateDir } = workspace;
    const processes = workspace.processes();
    await until(
      'the registry to be at rest',
      () => existsSync(registryPath(stateDir)) && statSync(join(stateDir, 'registry.changes.jsonl')).size === 0,
    );
    removeWhileWritten(stateDir);
    await workspace.run('stop', 'other');
    const doctor = await workspace.run('doctor');
    assert.deepEqual([isAlive(supervisor), isAlive(leader), existsSync(stateDir)], [true, true, false]);
    assert.match(doctor.stdout, /state directory/);
    assert.equal(doctor.code, 1);
    const down = await workspace.run('down');
    assert.equal(down.code, 0, down.stderr);
    await untilGone([supervisor, ...processes]);
    assert.equal(existsSync(stateDir), false);
  });

  it('a start after the state directory was removed fails in words and brings nothing of it back (R89)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: { ...STEADY, restart: 'no' } } });
    await workspace.up();
    const { stateDir } = workspace;
    await workspace.run('stop', 'other');
    removeWhileWritten(stateDir);
    await workspace.run('start', 'other');
    const waited = await workspace.run('wait', 'other');
    assert.deepEqual([waited.code, existsSync(stateDir)], [1, false]);
    assert.match(`${waited.stdout}${waited.stderr}`, /cannot open .*other\.log/);
  });
});
