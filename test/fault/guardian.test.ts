import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { guardianPath } from '../../server/store/paths.ts';
import { closeWorkspaces, isAlive, openWorkspace, STEADY, signal, untilGone } from '../support/supervised.ts';

describe('the guardian of a supervisor', () => {
  afterEach(closeWorkspaces);

  it('has a successor in charge within 3 s of a SIGKILL, with the same trees under the same pids', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const supervisor = await workspace.up();
    const before = workspace.processes();
    const began = performance.now();
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    const status = await workspace.status();
    const took = performance.now() - began;
    assert.ok(took < 3000, `${took} ms`);
    assert.deepEqual(
      status.services.map(({ name, state }) => [name, state]),
      [
        ['web', 'ready'],
        ['other', 'ready'],
      ],
    );
    assert.deepEqual(workspace.processes(), before);
  });

  it('is one, and another one, after a succession', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const first = workspace.guardian();
    signal(supervisor, 'SIGKILL');
    await workspace.successorOf(supervisor);
    await untilGone([first], 2000);
    assert.deepEqual(await workspace.guardians(), [workspace.guardian()]);
  });

  it('is gone when `down` returns, with its file', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const guardian = workspace.guardian();
    await workspace.must('down');
    assert.deepEqual([isAlive(guardian), await workspace.guardians()], [false, []]);
    assert.equal(existsSync(guardianPath(workspace.stateDir)), false);
  });

  it('is shown by `ps`', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    assert.deepEqual((await workspace.status()).supervisor?.guardian, { pid: workspace.guardian().pid });
  });
});
