import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunStatus, TaskStatus } from '../../server/api/protocol.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { runsFolder } from '../../server/store/paths.ts';
import {
  closeWorkspaces,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** A task that notes each start, waits for the file `go-<name>`, and ends with `code`. */
function waiting(name: string, code = 0): { readonly command: readonly string[] } {
  const script = `echo ${name} >> starts; while [ ! -e go-${name} ]; do sleep 0.02; done; exit ${code}`;
  return { command: ['sh', '-c', script] };
}

describe('a run whose supervisor was killed', () => {
  afterEach(closeWorkspaces);

  /** `up` of a task is over once it has begun. */
  async function begin(workspace: SupervisedWorkspace, task: string, first = task): Promise<ProcessIdentity> {
    await workspace.run('up', '--detach', '--no-wait', task);
    await until(`${first} to run`, () => starts(workspace).includes(first) && workspace.records.length > 0);
    return workspace.leader(first);
  }

  async function succeed(workspace: SupervisedWorkspace): Promise<void> {
    const serving = workspace.begin(['serve']);
    await until('a successor', async () => (await workspace.status()).supervisor !== null);
    workspace.supervisor();
    void serving.ended;
  }

  const starts = (workspace: SupervisedWorkspace): string[] => {
    const file = join(workspace.root, 'starts');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const runs = async (workspace: SupervisedWorkspace): Promise<readonly RunStatus[]> => (await workspace.status()).runs;
  const untilEnded = (workspace: SupervisedWorkspace): Promise<RunStatus> =>
    until('the end of the run', async () => (await runs(workspace)).findLast((run) => run.state !== 'running'));
  const runPath = (workspace: SupervisedWorkspace): string => {
    const folder = runsFolder(workspace.stateDir);
    return join(folder, readdirSync(folder)[0] ?? '', 'run.json');
  };
  const changes = (workspace: SupervisedWorkspace): string =>
    readFileSync(join(dirname(runPath(workspace)), 'run.changes.jsonl'), 'utf8');
  const runFile = (workspace: SupervisedWorkspace): string => readFileSync(runPath(workspace), 'utf8');
  const results = (run: RunStatus): unknown =>
    run.tasks.map((task: TaskStatus) => [task.name, task.state, task.exitCode]);
  /** Each journal event of runs, once and only once. */
  const told = (workspace: SupervisedWorkspace): string[] =>
    workspace.events.flatMap((one) =>
      /^(?:run|task)_/.test(one.event) ? [`${one.event} ${one.name ?? ''} ${one.state ?? ''}`.trim()] : [],
    );

  it('goes on with its task under the same pid, takes the result, and starts what depends on it', async () => {
    const workspace = openWorkspace({
      tasks: { first: waiting('first'), second: { ...waiting('second', 3), dependsOn: ['first'] } },
    });
    const leader = await begin(workspace, 'second', 'first');
    await workspace.killAll();
    await succeed(workspace);
    assert.deepEqual(workspace.leader('first'), leader);
    assert.equal(isAlive(leader), true);
    workspace.write('go-first', '');
    workspace.write('go-second', '');
    const run = await untilEnded(workspace);
    assert.deepEqual(results(run), [
      ['first', 'succeeded', 0],
      ['second', 'failed', 3],
    ]);
    assert.deepEqual(starts(workspace), ['first', 'second']);
    assert.deepEqual(told(workspace), [
      'run_started',
      'task_started first',
      'task_finished first succeeded',
      'task_started second',
      'task_finished second failed',
      'run_finished  failed',
    ]);
  });

  it('has the exit code of a task that ended while nobody was there', async () => {
    const workspace = openWorkspace({ tasks: { first: waiting('first', 23) } });
    const leader = await begin(workspace, 'first');
    await workspace.killAll();
    workspace.write('go-first', '');
    await untilGone([leader]);
    await succeed(workspace);
    assert.deepEqual(results(await untilEnded(workspace)), [['first', 'failed', 23]]);
    assert.deepEqual(starts(workspace), ['first']);
  });

  it('brings up a service that needs its result', async () => {
    const workspace = openWorkspace({
      services: { web: { ...STEADY, dependsOn: { build: 'succeeded' } } },
      tasks: { build: waiting('build') },
    });
    await workspace.run('up', '--detach', '--no-wait');
    await until('the build to run', () => starts(workspace).length === 1);
    await workspace.killAll();
    await succeed(workspace);
    workspace.write('go-build', '');
    await workspace.untilService('web', (one) => one.state === 'ready');
    assert.deepEqual(starts(workspace), ['build']);
  });

  it('ends a task in the time that it has left', async () => {
    const workspace = openWorkspace({ tasks: { slow: { ...waiting('slow'), timeout: '3s' } } });
    const leader = await begin(workspace, 'slow');
    await workspace.killAll();
    await succeed(workspace);
    const [task] = (await untilEnded(workspace)).tasks;
    const took = (task?.finishedAt ?? 0) - (task?.startedAt ?? 0);
    assert.deepEqual([task?.state, isAlive(leader)], ['timed_out', false]);
    assert.ok(took >= 3_000 && took < 5_500, `${took} ms`);
  });

  it('goes on to cancel what was being canceled', async () => {
    const deaf = 'trap "" TERM; echo deaf >> starts; while :; do sleep 0.1; done';
    const workspace = openWorkspace({
      tasks: {
        deaf: { command: ['sh', '-c', deaf], stopTimeout: '1s' },
        after: { command: 'true', dependsOn: ['deaf'] },
      },
    });
    const leader = await begin(workspace, 'after', 'deaf');
    const stopping = workspace.begin(['stop', 'deaf']);
    await until('the stop to be on record', () => /"canceledAt":\d/.test(changes(workspace)));
    await workspace.killAll();
    assert.equal(isAlive(leader), true);
    await succeed(workspace);
    assert.deepEqual(results(await untilEnded(workspace)), [
      ['deaf', 'canceled', null],
      ['after', 'blocked', null],
    ]);
    assert.equal(isAlive(leader), false);
    await stopping.ended;
  });

  it('is canceled where the task is to end with its supervisor, in words', async () => {
    const workspace = openWorkspace({
      tasks: { bound: { ...waiting('bound'), onSupervisorLoss: 'stop', retries: 3 } },
    });
    const leader = await begin(workspace, 'bound');
    await workspace.killAll();
    await succeed(workspace);
    const [task] = (await untilEnded(workspace)).tasks;
    assert.match(`${task?.state}: ${task?.detail}`, /^canceled: .*onSupervisorLoss: stop/);
    assert.deepEqual([isAlive(leader), starts(workspace)], [false, ['bound']]);
  });

  it('is shown with its result by the next supervisor, and by the one after a `down`', async () => {
    const workspace = openWorkspace({ tasks: { build: waiting('build', 5) } });
    await begin(workspace, 'build');
    workspace.write('go-build', '');
    const run = await untilEnded(workspace);
    await workspace.killAll();
    await succeed(workspace);
    assert.deepEqual(await runs(workspace), [run]);
    await workspace.must('down');
    await succeed(workspace);
    assert.deepEqual(await runs(workspace), [run]);
    assert.equal(workspace.eventsNamed('run_finished').length, 1);
  });

  it('is rebuilt when its record was torn, and its task goes on under the same pid (R92)', async () => {
    const workspace = openWorkspace({ tasks: { build: waiting('build', 5) } });
    const leader = await begin(workspace, 'build');
    await workspace.killAll();
    writeFileSync(runPath(workspace), runFile(workspace).slice(0, 40));
    await succeed(workspace);
    assert.equal(isAlive(leader), true);
    workspace.write('go-build', '');
    assert.deepEqual(results(await untilEnded(workspace)), [['build', 'failed', 5]]);
    assert.deepEqual(
      [workspace.eventsNamed('state_set_aside').map((one) => one.kind), starts(workspace)],
      [['run_corrupt'], ['build']],
    );
  });

  it('goes on under the same pid when the registry was torn too', async () => {
    const workspace = openWorkspace({ tasks: { build: waiting('build', 5) } });
    const leader = await begin(workspace, 'build');
    await workspace.killAll();
    for (const name of ['registry.json', 'registry.changes.jsonl']) writeFileSync(join(workspace.stateDir, name), '{');
    await succeed(workspace);
    assert.deepEqual([isAlive(leader), workspace.leader('build')], [true, leader]);
    workspace.write('go-build', '');
    assert.deepEqual(results(await untilEnded(workspace)), [['build', 'failed', 5]]);
    assert.deepEqual(starts(workspace), ['build']);
  });

  it('is not shown when its folder is gone, and nothing of it runs on (R95)', async () => {
    const workspace = openWorkspace({ tasks: { build: waiting('build') } });
    const leader = await begin(workspace, 'build');
    await workspace.killAll();
    rmSync(runsFolder(workspace.stateDir), { recursive: true });
    await succeed(workspace);
    assert.deepEqual([await runs(workspace), isAlive(leader), starts(workspace)], [[], false, ['build']]);
  });

  it('three times in a row still starts every attempt once', async () => {
    const script = 'echo flaky >> starts; n=$(wc -l < starts); while [ ! -e go-$n ]; do sleep 0.02; done; [ $n -eq 3 ]';
    const workspace = openWorkspace({ tasks: { flaky: { command: ['sh', '-c', script], retries: 5 } } });
    await begin(workspace, 'flaky');
    for (const attempt of [1, 2, 3]) {
      await until('the attempt', () => starts(workspace).length === attempt);
      await workspace.killAll();
      workspace.write(`go-${attempt}`, '');
      await succeed(workspace);
    }
    assert.deepEqual(results(await untilEnded(workspace)), [['flaky', 'succeeded', 0]]);
    assert.deepEqual([starts(workspace).length, told(workspace).length], [3, 6]);
  });
});
