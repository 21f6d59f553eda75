import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStatus, TaskStatus } from '../../server/api/protocol.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { closeWorkspaces, isAlive, openWorkspace, type SupervisedWorkspace, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** A task that notes each start, waits for the file `go-<name>`, and ends with `code`. */
function waiting(name: string, code = 0): { readonly command: readonly string[] } {
  const script = `echo ${name} >> starts; while [ ! -e go-${name} ]; do sleep 0.02; done; exit ${code}`;
  return { command: ['sh', '-c', script] };
}

describe('a run whose supervisor was killed', () => {
  afterEach(closeWorkspaces);

  const kill = (workspace: SupervisedWorkspace): Promise<void> => workspace.killAll();

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
    await kill(workspace);
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
    await kill(workspace);
    workspace.write('go-first', '');
    await untilGone([leader]);
    await succeed(workspace);
    assert.deepEqual(results(await untilEnded(workspace)), [['first', 'failed', 23]]);
    assert.deepEqual(starts(workspace), ['first']);
  });
});
