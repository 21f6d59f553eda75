import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runsFolder } from '../../../server/store/paths.ts';
import { TaskRun } from '../../../server/task/run.ts';
import { KEPT_RUNS, Runs } from '../../../server/task/runs.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';
import { until } from '../../support/until.ts';

describe('a run of tasks', () => {
  let unit: UnitHost;
  beforeEach(() => {
    unit = unitHost('run');
  });
  afterEach(() => unit.close());
  after(removeTemporaryFolders);

  let count = 0;
  function start(task: unknown): TaskRun {
    const { tasks } = configOf(unit.host.root, { tasks: { it: task } });
    count += 1;
    const run = TaskRun.begin(unit.host, `r-${count}`, [...tasks.values()], { kind: 'configuration' }, () => {});
    run.settle(() => ({ kind: 'start' }));
    return run;
  }
  const ended = (run: TaskRun) => until('the run to end', () => run.ended);
  const state = (run: TaskRun) => run.status.tasks[0]?.state;

  it('ends a task that was canceled while it was being launched, and starts nothing afterwards', async () => {
    const run = start({ command: 'sleep 1000' });
    const [task] = await run.cancel();
    assert.deepEqual([state(run), task?.proof?.survivors.length, unit.host.registry.records()], ['canceled', 0, []]);
  });

  it('waits for no other run that is under way, not even to be canceled (R100)', async () => {
    const first = start({ command: 'sleep 1000' });
    const second = start({ command: 'true' });
    const third = start({ command: 'sleep 1000' });
    await ended(second);
    await third.cancel();
    assert.deepEqual([first.ended, state(second), state(third)], [false, 'succeeded', 'canceled']);
    await first.cancel();
  });

  it('keeps the result of a task that had ended before it was canceled', async () => {
    const run = start({ command: 'sleep 0.2' });
    await until('the leader to run', () => run.tasks.get('it')?.tree);
    await run.tasks.get('it')!.tree?.exited;
    await run.cancel();
    assert.equal(state(run), 'succeeded');
  });

  it('tries again as often as `retries` says', async () => {
    const run = start({ command: 'sh -c "echo x >> tries; exit 1"', retries: 2 });
    await ended(run);
    const tries = unit.journal.filter((line) => line.event === 'tree_reaped').length;
    assert.deepEqual([state(run), tries], ['failed', 3]);
  });

  it('does not try again what was canceled while its failure was being cleared up', async () => {
    const run = start({ command: 'sh -c "sleep 0.1; exit 1"', retries: 100 });
    await until('the first attempt', () => run.tasks.get('it')?.tree);
    await run.cancel();
    assert.ok(run.ended);
  });

  it('ends what is not done in time, its tree proven empty', async () => {
    const run = start({ command: 'sleep 1000', timeout: '100ms' });
    await ended(run);
    assert.deepEqual([state(run), unit.host.registry.records()], ['timed_out', []]);
  });

  it('asks for a person at exit code 75, and does not retry (R94)', async () => {
    const run = start({ command: 'sh -c "exit 75"', retries: 3 });
    await ended(run);
    const tries = unit.journal.filter((line) => line.event === 'tree_reaped').length;
    assert.deepEqual([state(run), tries], ['needs_attention', 1]);
  });

  it('fails a task in words when its run folder could not be made', async () => {
    const { tasks } = configOf(unit.host.root, { tasks: { it: { command: 'true' } } });
    writeFileSync(join(unit.host.stateDir, 'runs-file'), '');
    const host = { ...unit.host, stateDir: join(unit.host.stateDir, 'runs-file') };
    const run = TaskRun.begin(host, 'r-1', [...tasks.values()], { kind: 'configuration' }, () => {});
    run.settle(() => ({ kind: 'start' }));
    await ended(run);
    const [task] = run.status.tasks;
    assert.match(`${task?.state}: ${task?.detail}`, /^failed: cannot start .+ENOTDIR/);
  });

  it('brings a state directory that was removed back by no start (R89)', async () => {
    rmSync(unit.host.stateDir, { recursive: true });
    const run = start({ command: 'true' });
    await ended(run);
    assert.deepEqual([state(run), existsSync(unit.host.stateDir)], ['failed', false]);
  });

  it('keeps the folders of the last runs only', async () => {
    const { tasks } = configOf(unit.host.root, { tasks: { it: { command: 'true' } } });
    const runs = new Runs(unit.host, () => {});
    for (let index = 0; index < KEPT_RUNS + 3; index += 1) {
      runs.begin(`r-${index}`, [...tasks.values()], { kind: 'configuration' });
      await runs.get(`r-${index}`)?.cancel();
    }
    runs.begin('r-last', [...tasks.values()], { kind: 'configuration' });
    const kept = [...runs.values()].map((run) => run.id);
    const folder = runsFolder(unit.host.stateDir);
    assert.deepEqual([kept.length, readdirSync(folder).length, existsSync(join(folder, 'r-2'))], [21, 21, false]);
  });
});
