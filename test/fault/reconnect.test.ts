import assert from 'node:assert/strict';
import {
  closeWorkspaces,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Kills the supervisor, and gives the pid of its successor once that serves. */
async function succeed(workspace: SupervisedWorkspace): Promise<number> {
  const lost = workspace.supervisor();
  signal(lost, 'SIGKILL');
  const status = await until('the successor', async () => {
    const now = await workspace.status();
    return now.supervisor !== null && now.supervisor.pid !== lost.pid && now.supervisor;
  });
  return status.pid;
}

describe('a client whose supervisor is killed', () => {
  afterEach(closeWorkspaces);

  it('up in the foreground rides over three losses with a calm line each, and still ends everything on Ctrl-C', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const up = workspace.begin(['up']);
    await workspace.untilService('web', (one) => one.state === 'ready');
    await workspace.untilService('other', (one) => one.state === 'ready');
    const before = workspace.processes();
    for (let round = 0; round < 3; round += 1) {
      const pid = await succeed(workspace);
      await until('the line', () => up.stderr.includes(`The supervisor was lost and is back (pid ${pid}).`));
    }
    assert.deepEqual(workspace.processes(), before);
    up.child.kill('SIGINT');
    const end = await up.ended;
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stdout, /Nothing is left: 2 trees, \d+ processes confirmed gone\.\n$/);
    assert.equal(end.stderr.match(/was lost/g)?.length, 3, end.stderr);
    await untilGone(before);
  });
});
