import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginSuccessor, killSupervisor, succeed } from '../support/successor.ts';
import { closeWorkspaces, openWorkspace, STEADY, type SupervisedWorkspace, signal } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Notes its start, counts until the file `go` is there, and ends with 7. */
const COUNT =
  'echo >> starts; i=0; while [ ! -e go ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo last $i; exit 7';

describe('output and exit codes across the kill of a supervisor', () => {
  afterEach(closeWorkspaces);

  function assertWhole(output: string): void {
    const lines = output.trimEnd().split('\n');
    const last = lines.pop();
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${index + 1}`),
    );
    assert.equal(last, `last ${lines.length}`);
  }

  async function open(services: object = {}): Promise<SupervisedWorkspace> {
    const workspace = openWorkspace({ services: { idle: { command: 'sleep 1000', enabled: false }, ...services } });
    await workspace.must('up', 'idle', '--detach');
    workspace.supervisor();
    return workspace;
  }

  for (const session of [null, 'ci']) {
    it(`exec ${session === null ? 'of a terminal' : 'of a session'} shows every byte once and ends as its command did`, async () => {
      const workspace = await open();
      const options = session === null ? [] : ['--session', session];
      const exec = workspace.begin(['exec', ...options, '--', 'sh', '-c', COUNT]);
      for (let round = 1; round <= 3; round += 1) {
        await until('output', () => exec.stdout.includes(`line ${round * 20}\n`));
        await succeed(workspace);
      }
      const before = exec.stdout.length;
      await until('more output', () => exec.stdout.length > before + 50);
      workspace.write('go', '');
      const end = await exec.ended;
      assert.equal(end.code, 7, end.stderr);
      assertWhole(end.stdout);
      assert.equal(end.stderr, '');
      assert.equal(readFileSync(join(workspace.root, 'starts'), 'utf8'), '\n');
    });
  }

  it('exec knows the exit code of a command that ended while nobody supervised', async () => {
    const workspace = await open();
    const exec = workspace.begin(['exec', '--', 'sh', '-c', COUNT]);
    await until('output', () => exec.stdout.includes('line 5\n'));
    await killSupervisor(workspace);
    workspace.write('go', '');
    await until('the end of the output', () => exec.stdout.includes('last '));
    beginSuccessor(workspace);
    const end = await exec.ended;
    assert.equal(end.code, 7, end.stderr);
    assertWhole(end.stdout);
  });

  it('exec starts a supervisor to attend its command where no successor comes', async () => {
    const workspace = await open();
    const exec = workspace.begin(['exec', '--', 'sh', '-c', COUNT]);
    await until('output', () => exec.stdout.includes('line 5\n'));
    await killSupervisor(workspace);
    const { lock } = workspace;
    await until('another supervisor', () => workspace.lock?.pid !== lock?.pid, { timeoutMs: 20_000 });
    workspace.write('go', '');
    const end = await exec.ended;
    assert.equal(end.code, 7, end.stderr);
    assertWhole(end.stdout);
  });

  for (const guarded of [true, false]) {
    it(`Ctrl-C in the gap stops the command of exec, ${guarded ? 'by the successor' : 'where none comes'}, with the proof`, async () => {
      const workspace = await open();
      const exec = workspace.begin(['exec', '--', 'sh', '-c', `sleep 1000 & ${COUNT}`]);
      await until('output', () => exec.stdout.includes('line 5\n'));
      const trees = workspace.marked.length;
      if (guarded) signal(workspace.supervisor(), 'SIGKILL');
      else await killSupervisor(workspace);
      exec.child.kill('SIGINT');
      const end = await exec.ended;
      assert.equal(end.code, 130, end.stderr);
      assert.match(end.stderr, /Nothing is left: 1 tree, [2-9] processes confirmed gone\.\n$/);
      assert.ok(workspace.marked.length <= trees - 2);
    });
  }

  it('exec that is asked for in the middle of a loss starts its command once', async () => {
    const workspace = await open();
    for (let round = 0; round < 3; round += 1) {
      const script = `echo >> starts${round}; exit 3`;
      const lost = workspace.supervisor();
      const exec = workspace.begin(['exec', '--', 'sh', '-c', script]);
      await until(
        'some progress',
        () => existsSync(join(workspace.root, `starts${round}`)) || exec.child.exitCode !== null,
      );
      signal(lost, 'SIGKILL');
      const end = await exec.ended;
      assert.equal(end.code, 3, end.stderr);
      assert.equal(readFileSync(join(workspace.root, `starts${round}`), 'utf8'), '\n');
      await workspace.successorOf(lost);
    }
  });

  it('logs -f shows every line once, across three supervisors and a restart', async () => {
    const workspace = openWorkspace({
      services: {
        web: { command: ['sh', '-c', COUNT], restart: { policy: 'no' }, ready: { log: 'line 1', interval: '20ms' } },
      },
    });
    await workspace.up();
    const logs = workspace.begin(['logs', 'web', '-f', '-n', '100000']);
    for (let round = 1; round <= 3; round += 1) {
      await until('output', () => logs.stdout.includes(`line ${round * 30}\n`));
      await succeed(workspace);
    }
    workspace.write('go', '');
    await until('the end', () => logs.stdout.includes('last '));
    assertWhole(logs.stdout);
    await workspace.untilService('web', (one) => one.state === 'failed' || one.state === 'stopped');
    assert.equal((await workspace.service('web')).lastExit?.code, 7);
    logs.child.kill('SIGINT');
    assert.equal((await logs.ended).code, 130);
  });

  it('events -f shows every event once and in order, across three supervisors', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const events = workspace.begin(['events', '-f', '--json', '-n', '1000']);
    const seen = (): { seq: number; event: string }[] =>
      events.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    for (let round = 0; round < 3; round += 1) await succeed(workspace);
    await workspace.must('restart', 'web');
    await until('the restart', () => seen().filter((one) => one.event === 'service_spawned').length === 2);
    const sequence = seen().map((one) => one.seq);
    assert.deepEqual(
      sequence,
      sequence.map((_, index) => (sequence[0] ?? 0) + index),
    );
    assert.equal(seen().filter((one) => one.event === 'supervisor_started').length, 4);
    events.child.kill('SIGINT');
    await events.ended;
  });
});
