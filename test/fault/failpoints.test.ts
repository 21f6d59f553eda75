import assert from 'node:assert/strict';
import { type FailpointStep, parseFailpoints } from '../../server/process/failpoint.ts';
import { readJournal } from '../../server/store/journal.ts';
import { DURABLE_FILES, type FailingStep, failingSteps, type Stage } from '../support/durableFiles.ts';
import { assertSound, before as come, enter, journalOf, leadersOf, ruleOf } from '../support/failpointRun.ts';
import { FailpointWorkspace, failpointBuild } from '../support/failpoints.ts';
import { Pool } from '../support/pool.ts';
import { isAlive } from '../support/supervised.ts';
import { until } from '../support/until.ts';

const STAGES: readonly Stage[] = ['first', 'takeover', 'work', 'end'];
const CODES = ['ENOSPC', 'EIO', 'EMFILE'];

interface Case {
  readonly title: string;
  readonly run: (workspace: FailpointWorkspace) => Promise<void>;
}

const cases: readonly Case[] = [
  ...failingSteps().map((one) => ({
    title: `killed at ${one.row.file} ${one.step} (${one.stage}) is followed by one that has everything, once`,
    run: (workspace: FailpointWorkspace) => killedAt(workspace, one),
  })),
  ...failingSteps().map((one, index) => {
    const code = CODES[index % CODES.length] ?? '';
    return {
      title: `to which ${one.row.file} ${one.step} (${one.stage}) fails with ${code}: ${one.row.failure}`,
      run: (workspace: FailpointWorkspace) => failedAt(workspace, one, code),
    };
  }),
  { title: 'meets no step that the table does not have', run: meetsNothingElse },
  { title: 'has everything in place with a disk that takes its time for each', run: slowDisk },
];

describe('a supervisor at each step of writing each durable file', function () {
  this.timeout(300_000);
  // Most of each is waiting.
  const pool = new Pool(4);
  let results: readonly Promise<unknown>[];

  before(() => {
    failpointBuild();
    results = cases.map(({ run }) =>
      pool
        .run(() => withWorkspace(run))
        .then(
          () => null,
          (error: unknown) => error,
        ),
    );
  });

  for (const [index, { title }] of cases.entries()) {
    it(title, async () => {
      const error = await results[index];
      if (error !== null) throw error;
    });
  }
});

async function withWorkspace(run: Case['run']): Promise<void> {
  const workspace = new FailpointWorkspace();
  try {
    await run(workspace);
  } catch (error) {
    // The first thing that went wrong is the one to be told.
    await workspace.close().catch(() => {});
    throw error;
  }
  await workspace.close();
}

async function killedAt(workspace: FailpointWorkspace, { row, stage, step }: FailingStep): Promise<void> {
  await come(workspace, stage);
  const leaders = stage === 'first' ? null : leadersOf(workspace);
  workspace.failpoints(ruleOf(row.file, step, step === 'write' ? 'torn' : 'die'));
  await enter(stage, workspace);
  await until('the kill', () => workspace.hits.length > 0);
  await workspace.up();
  await assertSound(workspace);
  const kept = stage === 'takeover' ? ['web', 'other', 'changed'] : stage === 'work' ? ['other'] : [];
  for (const name of kept) assert.deepEqual(workspace.leader(name), leaders?.get(name), name);
  const { events, skipped } = readJournal(workspace.stateDir);
  const torn = events.filter((one) => one.event === 'state_set_aside' && one.kind === 'journal_torn').length;
  assert.deepEqual([skipped, torn], row.file === 'events.jsonl' && step === 'write' ? [1, 1] : [0, 0]);
  assert.equal(workspace.hits.length, 1);
}

async function failedAt(workspace: FailpointWorkspace, { row, stage, step }: FailingStep, code: string): Promise<void> {
  await come(workspace, stage);
  const before = stage === 'work' ? workspace.supervisor() : null;
  workspace.failpoints(ruleOf(row.file, step, `${step === 'write' ? 'part' : 'fail'}:${code}`));
  const said = await enter(stage, workspace);
  await until('the failure', () => workspace.hits.length > 0);
  if (row.failure === 'refused') {
    assert.match(said, new RegExp(code));
    assert.equal(stage === 'takeover' ? workspace.marked.length : 3, 3);
    assert.ok(workspace.lock === null || !isAlive(workspace.lock));
  } else if (before !== null) {
    assert.deepEqual([isAlive(before), workspace.supervisor()], [true, before]);
  }
  workspace.failpoints();
  if (row.failure === 'refused' || stage === 'end') await workspace.up();
  await assertSound(workspace);
  const told = (event: string) => () =>
    journalOf(workspace).some((one) => one.event === event && JSON.stringify(one).includes(code));
  if (row.failure === 'told' || row.failure === 'recovered') await until('the warning', told('health_warn'));
  if (row.failure === 'recovered') await until('the recovery', told('health_recovered'));
}

async function meetsNothingElse(workspace: FailpointWorkspace): Promise<void> {
  const unknown = new Set<string>();
  for (const stage of STAGES) {
    if (stage === 'first') await come(workspace, stage);
    else if (stage === 'takeover') await workspace.killAll();
    workspace.failpoints('*:*=delay:0');
    await enter(stage, workspace);
    const rules = DURABLE_FILES.flatMap((row) => {
      const steps: readonly FailpointStep[] = row.steps[stage] ?? [];
      return steps.flatMap((step) => parseFailpoints(ruleOf(row.file, step, 'die')));
    });
    for (const { step, path } of workspace.hits)
      if (!rules.some((rule) => rule.step === step && rule.file.test(path))) unknown.add(`${stage}: ${path} ${step}`);
  }
  assert.deepEqual([...unknown], []);
}

async function slowDisk(workspace: FailpointWorkspace): Promise<void> {
  await come(workspace, 'first');
  for (const stage of STAGES) {
    if (stage === 'takeover') await workspace.killAll();
    workspace.failpoints('*:*=delay:20');
    await enter(stage, workspace);
    workspace.failpoints();
    if (stage !== 'end') await assertSound(workspace);
  }
  assert.deepEqual(
    journalOf(workspace).filter((one) => one.event === 'health_warn'),
    [],
  );
}
