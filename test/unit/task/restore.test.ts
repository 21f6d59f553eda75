import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../../server/store/journal.ts';
import { runFolder } from '../../../server/store/paths.ts';
import { NOT_BEGUN, type TaskProgress, termsOf } from '../../../server/task/progress.ts';
import {
  readRuns,
  runChangesPath,
  runFilePath,
  taskExitPath,
  withChanges,
  writeRunFile,
} from '../../../server/task/runFile.ts';
import { Runs } from '../../../server/task/runs.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { configOf, type UnitHost, unitHost } from '../../support/unitHost.ts';
import { until } from '../../support/until.ts';

const OWNER = { kind: 'configuration' } as const;
const RUNNING: TaskProgress = {
  ...NOT_BEGUN,
  state: 'running',
  attempt: 1,
  marker: 'm',
  startedAt: 10,
  attemptStartedAt: 10,
};

describe('runs that an earlier supervisor left', () => {
  let unit: UnitHost;
  let runs: Runs;
  beforeEach(() => {
    unit = unitHost('restore');
  });
  afterEach(async () => {
    await Promise.all([...runs.values()].map((run) => run.cancel()));
    unit.close();
  });
  after(removeTemporaryFolders);

  const DEFAULT = { it: { command: 'sh -c "echo x >> starts; exit 1"', retries: 2 } };
  const configs = (tasks: object = DEFAULT) => configOf(unit.host.root, { tasks }).tasks;

  /** As a supervisor would have left it. */
  function leave(id: string, progress: Partial<TaskProgress>, tasks: object = DEFAULT, closed = false): void {
    mkdirSync(runFolder(unit.host.stateDir, id), { recursive: true });
    const entries = [...configs(tasks).values()].map((config) => ({
      terms: termsOf(config),
      progress: { ...NOT_BEGUN, ...progress },
    }));
    writeRunFile(
      unit.host.stateDir,
      { id, owners: [OWNER], createdAt: 1, closed, change: 0, tasks: entries },
      'running',
    );
  }

  function exit(id: string, attempt: number, code: number, at = 20): void {
    const record = { pid: 99, code, signal: null, at, witness: 'keeper' };
    writeFileSync(taskExitPath(unit.host.stateDir, id, 'it', attempt), JSON.stringify(record));
  }

  function tell(event: string, fields: object): void {
    const journal = openJournal(unit.host.stateDir);
    journal.append(event, { ...fields });
    journal.close();
  }

  function restore(tasks: object = DEFAULT): Runs {
    runs = new Runs(unit.host, () => void runs.settle(() => ({ kind: 'start' })));
    runs.restore(configs(tasks));
    runs.resume();
    runs.settle(() => ({ kind: 'start' }));
    return runs;
  }

  const task = (id: string) => runs.get(id)?.status.tasks[0];
  const ended = (id: string) => until('the run to end', () => runs.get(id)?.ended);
  const starts = (): number => {
    const file = join(unit.host.root, 'starts');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  const events = (): string[] => unit.journal.map(({ event }) => event).filter((one) => /^(?:run|task)_/.test(one));

  it('go on with the attempt that is next, not with the first', async () => {
    leave('r', { ...RUNNING, attempt: 2 });
    exit('r', 2, 1);
    restore();
    await ended('r');
    assert.deepEqual([task('r')?.state, starts()], ['failed', 1]);
  });

  it('launch what was about to be launched, once', async () => {
    leave('r', { ...RUNNING, attempt: 3 });
    // Of the attempt before: it says nothing of this one.
    exit('r', 2, 0);
    restore();
    await ended('r');
    assert.deepEqual([task('r')?.state, starts()], ['failed', 1]);
  });

  it('start nothing for a task of which the result is known', async () => {
    leave('r', RUNNING);
    exit('r', 1, 0);
    restore();
    await ended('r');
    assert.deepEqual([task('r')?.state, task('r')?.exitCode, starts()], ['succeeded', 0, 0]);
  });

  it('ask for a person when that is what the exit record says, and try nothing again (R94)', async () => {
    leave('r', RUNNING);
    exit('r', 1, 75);
    restore();
    await ended('r');
    assert.deepEqual([task('r')?.state, starts()], ['needs_attention', 0]);
  });

  it('have timed out when they were ended for that', async () => {
    leave('r', { ...RUNNING, attempt: 3, timedOutAt: 15 });
    exit('r', 3, 143);
    restore();
    await ended('r');
    assert.equal(task('r')?.state, 'timed_out');
  });

  it('keep a result from before they were canceled, and no later one', async () => {
    for (const [id, at] of [
      ['before', 14],
      ['after', 16],
    ] as const) {
      leave(id, { ...RUNNING, canceledAt: 15 });
      exit(id, 1, 0, at);
    }
    restore();
    await ended('before');
    await ended('after');
    assert.deepEqual([task('before')?.state, task('after')?.state], ['succeeded', 'canceled']);
  });

  it('are canceled where the configuration does not have the task any more', async () => {
    leave('r', {});
    restore({});
    assert.deepEqual(
      [task('r')?.state, task('r')?.detail],
      ['canceled', 'the configuration does not have it any more'],
    );
  });

  it('have the result of a task that the configuration does not have any more', async () => {
    leave('r', RUNNING);
    exit('r', 1, 1);
    restore({});
    await ended('r');
    assert.deepEqual([task('r')?.state, task('r')?.exitCode], ['failed', 1]);
  });

  it('are told of as far as they were not yet, and no further', async () => {
    leave('r', RUNNING);
    exit('r', 1, 0);
    tell('run_started', { run: 'r', tasks: ['it'] });
    restore();
    await ended('r');
    assert.deepEqual(events(), ['task_started', 'task_finished', 'run_finished']);
  });

  it('end as the journal says when only their record could not be written', async () => {
    leave('r', RUNNING);
    for (const event of ['run_started', 'task_started']) tell(event, { run: 'r', name: 'it', tasks: ['it'] });
    tell('task_finished', { run: 'r', name: 'it', state: 'succeeded', exitCode: 0 });
    restore();
    assert.deepEqual([task('r')?.state, starts(), events()], ['succeeded', 0, ['run_finished']]);
  });

  it('have their state derived once all their tasks have ended (R90)', async () => {
    leave('r', { ...RUNNING, state: 'failed', exitCode: 1, finishedAt: 30 });
    restore();
    const [run] = readRuns(unit.host.stateDir);
    assert.deepEqual([runs.get('r')?.status.state, run?.kind === 'run' && run.run.closed], ['failed', true]);
  });

  it('that had ended are shown with their results, and told of no more', async () => {
    leave('r', { ...RUNNING, state: 'failed', exitCode: 7, finishedAt: 30 }, DEFAULT, true);
    restore();
    assert.deepEqual([runs.get('r')?.status.state, task('r')?.exitCode, events()], ['failed', 7, []]);
  });

  it('start nothing that waits before all is taken over', () => {
    leave('r', {});
    runs = new Runs(unit.host, () => {});
    runs.restore(configs());
    assert.equal(
      runs.settle(() => ({ kind: 'start' })),
      false,
    );
  });

  it('leave others untouched when the record of one is torn, which is set aside and rebuilt (R92)', async () => {
    leave('torn', RUNNING);
    leave('whole', { ...RUNNING, state: 'succeeded', exitCode: 0, finishedAt: 30 }, DEFAULT, true);
    writeFileSync(runFilePath(unit.host.stateDir, 'torn'), '{"version":1,"id":"to');
    exit('torn', 1, 75);
    tell('run_started', { run: 'torn', tasks: ['it'] });
    tell('task_started', { run: 'torn', name: 'it' });
    const whole = readFileSync(runFilePath(unit.host.stateDir, 'whole'), 'utf8');
    restore();
    await ended('torn');
    const aside = readdirSync(runFolder(unit.host.stateDir, 'torn')).filter((name) => name.includes('.corrupt-'));
    assert.deepEqual(
      [task('torn')?.state, aside.length, readFileSync(runFilePath(unit.host.stateDir, 'whole'), 'utf8') === whole],
      ['needs_attention', 1, true],
    );
    assert.deepEqual(
      unit.journal.filter(({ event }) => event === 'state_set_aside').map(({ kind, rebuilt }) => [kind, rebuilt]),
      [['run_corrupt', true]],
    );
  });

  it('are not shown when there is only an empty folder of them (R95)', () => {
    mkdirSync(runFolder(unit.host.stateDir, 'r'));
    restore();
    assert.deepEqual([[...runs.values()].length, unit.journal], [0, []]);
  });

  it('hold no values of variables', async () => {
    const tasks = { it: { command: 'true', env: { SECRET: 'hush-hush' } } };
    runs = new Runs(unit.host, () => void runs.settle(() => ({ kind: 'start' })));
    runs.begin('r', [...configs(tasks).values()], OWNER);
    runs.settle(() => ({ kind: 'start' }));
    await ended('r');
    assert.equal(readFileSync(runFilePath(unit.host.stateDir, 'r'), 'utf8').includes('hush-hush'), false);
  });

  it('cost a line for each step of a task, however many there are in the run', async () => {
    const tasks = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, { command: 'true' }]));
    runs = new Runs(unit.host, () => {});
    runs.begin('r', [...configs(tasks).values()], OWNER);
    runs.settle(({ name }) => (name === 't7' ? { kind: 'start' } : { kind: 'wait', on: [] }));
    await until('its end', () => runs.get('r')?.tasks.get('t7')?.ended);
    const lines = readFileSync(runChangesPath(unit.host.stateDir, 'r'), 'utf8').trim().split('\n');
    assert.deepEqual([lines.length, lines.every((line) => line.length < 500)], [2, true]);
  });

  it('are as their changes say, but for those that the whole holds already and those that are torn', () => {
    leave('r', { ...NOT_BEGUN, attempt: 1 });
    const [reading] = readRuns(unit.host.stateDir);
    assert.ok(reading?.kind === 'run');
    const line = (change: number, attempt: number): string =>
      JSON.stringify({ change, tasks: { it: { ...RUNNING, attempt } } });
    const changes = [line(3, 3), line(4, 4), line(5, 5).slice(0, -9), ''].join('\n');
    const attempts = [2, 3, 4].map(
      (change) => withChanges({ ...reading.run, change }, changes).tasks[0]?.progress.attempt,
    );
    assert.deepEqual(attempts, [4, 4, 1]);
    restore();
  });

  it('are understood wholly or not at all', () => {
    leave('r', RUNNING);
    const path = runFilePath(unit.host.stateDir, 'r');
    const text = readFileSync(path, 'utf8');
    const kinds = ['', '{}', text.slice(0, -20), text.replace('"attempt":1', '"attempt":-1'), text].map((variant) => {
      writeFileSync(path, variant);
      return readRuns(unit.host.stateDir)[0]?.kind;
    });
    appendFileSync(path, 'x');
    kinds.push(readRuns(unit.host.stateDir)[0]?.kind);
    assert.deepEqual(kinds, ['corrupt', 'corrupt', 'corrupt', 'corrupt', 'run', 'corrupt']);
    writeFileSync(path, text);
    restore();
  });
});
