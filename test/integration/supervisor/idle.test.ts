import assert from 'node:assert/strict';
import { closeWorkspaces, isAlive, openWorkspace, STEADY, untilGone } from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

const IDLE = { grace: '300ms' };

describe('a supervisor that nobody is connected to', () => {
  afterEach(closeWorkspaces);

  it('exits 0 after the grace when nothing runs, and leaves no lock, process or record', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const served = workspace.begin(['serve']);
    assert.equal((await served.ended).code, 0);
    assert.deepEqual([workspace.lock, workspace.records, workspace.marked], [null, [], []]);
    assert.equal(workspace.events.at(-1)?.event, 'supervisor_stopped');
  });

  it('stays for what belongs to the configuration', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    const until3Graces = performance.now() + 900;
    await until('three graces', () => performance.now() > until3Graces, { intervalMs: 50 });
    assert.deepEqual([isAlive(supervisor), isAlive(leader)], [true, true]);
  });

  it('ends when the last of it was stopped', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const supervisor = await workspace.up();
    await workspace.run('stop', 'web');
    await untilGone([supervisor]);
    assert.equal(workspace.lock, null);
  });

  it('stays while a client is connected, though nothing runs', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const supervisor = await workspace.up();
    const watching = workspace.begin(['ps', '--watch']);
    await until('the watcher', () => watching.stdout.includes('web'));
    await workspace.run('stop', 'web');
    const until3Graces = performance.now() + 900;
    await until('three graces', () => performance.now() > until3Graces, { intervalMs: 50 });
    assert.equal(isAlive(supervisor), true);
    watching.child.kill('SIGTERM');
    await untilGone([supervisor]);
  });

  it('stops what a foreground `up` started whose terminal was killed', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await until('web to be ready', () => up.stderr.includes('ready') || up.stdout.includes('ready'));
    const processes = [workspace.supervisor(), ...workspace.processes()];
    up.child.kill('SIGKILL');
    await untilGone(processes);
    assert.equal(workspace.lock, null);
  });

  it('keeps what a foreground `up` started once `up --detach` has asked for it too', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await until('web to be ready', () => up.stderr.includes('ready') || up.stdout.includes('ready'));
    await workspace.run('up', '--detach');
    const leader = workspace.leader('web');
    up.child.kill('SIGKILL');
    const until3Graces = performance.now() + 900;
    await until('three graces', () => performance.now() > until3Graces, { intervalMs: 50 });
    assert.deepEqual([isAlive(leader), (await workspace.service('web')).owner], [true, 'configuration']);
  });

  it('stops the command of a session whose client has gone, and says so in the journal', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const exec = workspace.begin(['exec', '--session', 'ci', '--', 'sh', '-c', 'echo up; exec sleep 1000']);
    await until('the command', () => exec.stdout.includes('up'));
    const processes = [workspace.supervisor(), ...workspace.processes()];
    exec.child.kill('SIGKILL');
    await untilGone(processes);
    assert.equal(workspace.eventsNamed('session_reaped').length, 1);
  });
});
