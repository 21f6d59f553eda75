import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '../../server/store/journal.ts';
import type { JournalEvent } from '../../server/store/types.ts';
import { describeWithMounts, removeSmallDisks, SmallDisk } from '../support/smallDisk.ts';
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

const QUICK = {
  ...STEADY,
  restart: {
    policy: 'on-failure',
    backoff: { initial: '10ms', max: '20ms' },
    crashes: { count: 100 },
    slow: { count: 100 },
  },
};

describeWithMounts('a disk that fills up while a supervisor runs', import.meta.filename, () => {
  afterEach(async () => {
    await closeWorkspaces();
    removeSmallDisks();
  });

  let disk: SmallDisk;

  function openOnSmallDisk(services: unknown): SupervisedWorkspace {
    const workspace = openWorkspace({ services });
    disk = new SmallDisk(1024 ** 2);
    workspace.env.XDG_STATE_HOME = disk.path;
    return workspace;
  }

  function journalOf(workspace: SupervisedWorkspace): readonly JournalEvent[] {
    return readJournal(workspace.stateDir).events;
  }

  /** A full disk still takes what fits into the last page of a file. Gives the incarnation that runs then. */
  async function crashUntilJournalIsFull(workspace: SupervisedWorkspace): Promise<number> {
    const journal = join(workspace.stateDir, 'events.jsonl');
    for (let life = (await workspace.service('web')).incarnation; ; life += 1) {
      const { pid } = await workspace.untilService('web', (one) => one.incarnation === life && one.state === 'ready');
      if (statSync(journal).size % 4096 === 0) return life;
      const leader = workspace.processOf(pid);
      signal(leader, 'SIGKILL');
      await untilGone([leader]);
    }
  }

  it('leaves services running and their ends accounted for, and all is recorded once there is room', async () => {
    const workspace = openOnSmallDisk({ web: QUICK, other: QUICK });
    const supervisor = await workspace.up();
    const [web, other] = [workspace.leader('web'), workspace.leader('other')];
    disk.fill();
    const lives = await crashUntilJournalIsFull(workspace);
    const service = await workspace.service('web');
    assert.deepEqual([service.incarnation, service.crashes, service.lastExit?.signal], [lives, lives - 1, 'SIGKILL']);
    assert.deepEqual([isAlive(supervisor), isAlive(web), isAlive(other)], [true, false, true]);
    disk.free();
    await until('the end of the trouble', () =>
      journalOf(workspace).some((one) => one.event === 'health_recovered' && one.file === 'events.jsonl'),
    );
    const events = journalOf(workspace);
    assert.deepEqual(
      events.map((one) => one.seq),
      events.map((_, index) => index + 1),
    );
    assert.equal(events.filter((one) => one.event === 'service_exited' && one.name === 'web').length, lives - 1);
    const warned = events.filter((one) => one.event === 'health_warn' && one.code === 'ENOSPC');
    assert.ok(warned.some((one) => one.file === 'events.jsonl'));
    await until('the registry', () => workspace.records.find((one) => one.name === 'web')?.incarnation === lives);
    assert.equal(workspace.marked.length, 2);
  });

  it('is no reason for a successor not to take over', async () => {
    const workspace = openOnSmallDisk({ web: QUICK });
    const first = await workspace.up();
    const leader = workspace.leader('web');
    await until('the whole registry', () => existsSync(join(workspace.stateDir, 'registry.json')));
    disk.fill();
    signal(first, 'SIGKILL');
    await untilGone([first]);
    await workspace.successorOf(first);
    const service = await workspace.service('web');
    assert.deepEqual([service.pid, service.incarnation, isAlive(leader)], [leader.pid, 1, true]);
    await crashUntilJournalIsFull(workspace);
    disk.free();
    await until('the journal', () =>
      journalOf(workspace).some((one) => one.event === 'health_recovered' && one.file === 'events.jsonl'),
    );
    const events = journalOf(workspace);
    assert.equal(events.filter((one) => one.event === 'supervisor_started').length, 2);
    assert.equal(workspace.marked.length, 1);
  });

  it('fails the start of a supervisor in a new workspace by name, with nothing started', async () => {
    const workspace = openOnSmallDisk({ web: QUICK });
    disk.fill();
    const end = await workspace.run('up', '--detach');
    assert.equal(end.code, 1);
    assert.match(end.stderr, /ENOSPC|no space left/i);
    assert.equal(workspace.lock, null);
    disk.free();
    await workspace.up();
  });
});
