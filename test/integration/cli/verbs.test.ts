import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { TestWorkspace } from '../../support/workspace.ts';

describe('the coppice command', () => {
  let workspace: TestWorkspace;
  beforeEach(() => {
    workspace = new TestWorkspace('verbs');
  });
  afterEach(() => workspace.close());
  after(removeTemporaryFolders);

  it('ps --json has the documented shape', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    const status = await workspace.status();
    assert.deepEqual(Object.keys(status.workspace).sort(), ['id', 'root', 'stateDir']);
    const { supervisor, services } = status;
    assert.ok(supervisor !== null);
    for (const key of ['pid', 'startedAt', 'version', 'endpoint', 'limits', 'heartbeat'])
      assert.ok(key in supervisor, key);
    const wanted =
      'name kind state pid incarnation restarts crashes lastExit memoryMb port url owner readyAt log'.split(' ');
    for (const key of wanted) assert.ok(key in (services[0] ?? {}), key);
    assert.deepEqual(status.runs, []);
  });

  it('start, wait, stop and reset go their way', async () => {
    const restart = { backoff: { initial: '10ms', max: '20ms' }, crashes: { count: 2, window: '5m' } };
    workspace.configure({
      services: { one: { command: 'sleep 1000' }, broken: { command: ['sh', '-c', 'exit 3'], restart } },
    });
    assert.equal((await workspace.run('start', 'one')).code, 0);
    assert.equal((await workspace.run('wait', 'one')).code, 0);
    assert.equal((await workspace.run('reset', 'one')).code, 1);
    assert.equal((await workspace.run('stop', 'one')).code, 0);
    assert.equal((await workspace.run('wait', 'one', '--for', 'exit')).code, 0);
    await workspace.run('start', 'broken');
    assert.equal((await workspace.run('wait', 'broken')).code, 1);
    const again = await workspace.run('start', 'broken');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /needs `coppice reset broken`/);
    assert.equal((await workspace.run('reset', 'broken')).code, 0);
    assert.equal((await workspace.run('stop', 'brokn')).code, 64);
  });

  it('reload says what changed, and keeps the old configuration when the new one is wrong', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    const before = await workspace.service('one');
    workspace.write('coppice.json', '{ "services": { "one": 5 } }');
    const wrong = await workspace.run('reload');
    assert.equal(wrong.code, 78);
    assert.match(wrong.stderr, /coppice\.json:1:\d+: error: .*\n(.*\n)*.*the old configuration stays in force/);
    assert.equal((await workspace.service('one')).pid, before.pid);
    workspace.configure({ services: { one: { command: 'sleep 1000' }, two: { command: 'sleep 1000' } } });
    assert.equal((await workspace.run('reload')).code, 0);
    assert.notEqual((await workspace.service('two')).state, 'stopped', 'all was asked for, so what is added starts');
    assert.equal((await workspace.service('one')).pid, before.pid);
  });

  it('serve refuses a workspace that is held with 2 and names the holder, and drains on SIGTERM with 143', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    const serving = workspace.begin(['serve']);
    const pid = await until('the supervisor', async () => (await workspace.status()).supervisor?.pid);
    assert.equal(pid, serving.child.pid);
    const second = await workspace.run('serve');
    assert.equal(second.code, 2);
    assert.match(second.stderr, new RegExp(`supervisor pid ${pid} on .* heap limit 512 MB`));
    await workspace.run('up', '--detach');
    serving.child.kill('SIGTERM');
    assert.equal((await serving.ended).code, 143);
    assert.equal((await workspace.status()).supervisor, null);
  });

  it('is called from a folder within the workspace as well', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    workspace.write('a/b/file', '');
    const inner = await workspace.run('ps', '--cwd', '.', '--json');
    const command = workspace.begin(['ps', '--json']);
    assert.equal(JSON.parse(inner.stdout).workspace.root, workspace.root);
    assert.equal((await command.ended).code, 0);
  });

  it('down can be called at any time, twice and at once', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    const ends = await Promise.all([workspace.run('down'), workspace.run('down'), workspace.run('down')]);
    for (const end of ends) assert.equal(end.code, 0, end.stderr);
  });

  it('up waits for a supervisor that is stopping everything, and brings the workspace up anew', async () => {
    const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];
    workspace.configure({ services: { one: { command: stubborn, stopTimeout: '700ms' } } });
    await workspace.run('up', '--detach');
    const before = await workspace.status();
    const down = workspace.begin(['down']);
    await workspace.untilService('one', (one) => one.state === 'stopping');
    const up = await workspace.run('up', '--detach');
    assert.equal(up.code, 0, up.stderr);
    assert.equal((await down.ended).code, 0);
    const after = await workspace.status();
    assert.notEqual(after.supervisor?.pid, before.supervisor?.pid);
    assert.equal(after.services[0]?.state, 'ready');
  });

  it('does not hang on a supervisor that is stopped, and names it', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    const { supervisor } = await workspace.status();
    process.kill(supervisor?.pid ?? 0, 'SIGSTOP');
    try {
      const end = await workspace.run('ps');
      assert.equal(end.code, 2);
      assert.match(end.stderr, new RegExp(`supervisor pid ${supervisor?.pid} .* does not answer`));
      assert.equal((await workspace.run('doctor')).code, 1);
    } finally {
      process.kill(supervisor?.pid ?? 0, 'SIGCONT');
    }
  });

  it('doctor finds a process of ours that nobody owns, and leaves it alone', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    assert.equal((await workspace.run('doctor')).code, 0);
    const { workspace: place } = await workspace.status();
    const stray = spawn('sleep', ['1000'], { env: { ...workspace.env, COPPICE_TREE: `${place.id}/old/3/abcd` } });
    try {
      const end = await workspace.run('doctor', '--json');
      assert.equal(end.code, 1);
      const report = JSON.parse(end.stdout);
      assert.deepEqual(
        report.orphans.map((one: { pid: number }) => one.pid),
        [stray.pid],
      );
      assert.equal(report.supervisors.count, 1);
      assert.equal(report.heartbeat.verdict, 'fresh');
      assert.equal(report.processes[0].status, 'running');
      assert.equal(stray.exitCode, null);
    } finally {
      const ended = new Promise((resolve) => stray.once('exit', resolve));
      stray.kill('SIGKILL');
      await ended;
    }
  });

  it('doctor tells in under 2 s what a killed supervisor has left', async () => {
    workspace.configure({ services: { one: { command: 'sleep 1000' } } });
    await workspace.run('up', '--detach');
    const { supervisor } = await workspace.status();
    assert.ok(supervisor !== null && supervisor.guardian !== null);
    // Stopped, it puts no other guardian in the place of this one.
    process.kill(supervisor.pid, 'SIGSTOP');
    process.kill(supervisor.guardian.pid, 'SIGKILL');
    process.kill(supervisor.pid, 'SIGKILL');
    await until('the supervisor gone', async () => (await workspace.status()).supervisor === null);
    const began = performance.now();
    const end = await workspace.run('doctor', '--json');
    assert.ok(performance.now() - began < 2000);
    const report = JSON.parse(end.stdout);
    assert.equal(report.supervisors.count, 0);
    assert.equal(report.supervisors.holder.state, 'dead');
    assert.equal(report.heartbeat.verdict, 'dead');
    assert.match(
      report.findings.map((one: { message: string }) => one.message).join('\n'),
      /one \(pid \d+\) runs without a supervisor/,
    );
    const shown = await workspace.service('one');
    assert.equal(shown.state, 'ready');
    assert.match(shown.detail ?? '', /without a supervisor/);
  });
});
