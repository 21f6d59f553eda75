import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStatus } from '../../server/api/protocol.ts';
import { closeWorkspaces, isAlive, openWorkspace, type SupervisedWorkspace, signal } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Notes its start, waits for the file `go-<name>`, and ends with `code`. */
function noted(name: string, code = 0): { readonly command: readonly string[] } {
  return {
    command: ['sh', '-c', `echo ${name} >> starts; until [ -e go-${name} ]; do sleep 0.02; done; exit ${code}`],
  };
}

const starts = (workspace: SupervisedWorkspace): string[] => {
  const file = join(workspace.root, 'starts');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [];
};

const runOf = async (workspace: SupervisedWorkspace, task: string): Promise<RunStatus | undefined> =>
  (await workspace.status()).runs.findLast((run) => run.tasks.some(({ name }) => name === task));

const stateOf = async (workspace: SupervisedWorkspace, task: string): Promise<string | undefined> =>
  (await runOf(workspace, task))?.tasks.find(({ name }) => name === task)?.state;

describe('runs that need no repair when their supervisor is lost', () => {
  afterEach(closeWorkspaces);

  it('are left as they are: one that waits for a person, its blocked dependents, and one that runs beside it (R92, R93, R94)', async () => {
    const workspace = openWorkspace({
      tasks: {
        review: { ...noted('review', 75), retries: 3 },
        publish: { ...noted('publish'), dependsOn: ['review'] },
        build: noted('build'),
      },
    });
    await workspace.run('up', '--detach', '--no-wait', 'publish');
    await workspace.run('up', '--detach', '--no-wait', 'build');
    await until('both to run', () => starts(workspace).length === 2);
    writeFileSync(join(workspace.root, 'go-review'), '');
    await until('the attention', async () => (await stateOf(workspace, 'review')) === 'needs_attention');
    const blocked = await stateOf(workspace, 'publish');
    const [before, builder, lost] = [
      await runOf(workspace, 'review'),
      workspace.leader('build'),
      workspace.supervisor(),
    ];
    signal(lost, 'SIGKILL');
    await workspace.successorOf(lost);
    assert.deepEqual(await runOf(workspace, 'review'), before);
    assert.deepEqual([blocked, await stateOf(workspace, 'build'), isAlive(builder)], ['blocked', 'running', true]);
    writeFileSync(join(workspace.root, 'go-build'), '');
    await until('the end of the other', async () => (await stateOf(workspace, 'build')) === 'succeeded');
    assert.deepEqual(starts(workspace), ['build', 'review']);
  });
});
