import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import type { WorkspaceFile } from '../../server/store/types.ts';
import { beginSuccessor, killSupervisor, untilSucceeded } from '../support/successor.ts';
import { closeWorkspaces, isAlive, openWorkspace, STEADY, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('the idle end', () => {
  afterEach(closeWorkspaces);

  it('does not come before everything is taken over: what looks at rest until then is not stopped', async () => {
    const workspace = openWorkspace({ idle: { grace: '500ms' }, services: { web: STEADY } });
    await workspace.up();
    const web = workspace.leader('web');
    const lost = await killSupervisor(workspace);
    // A start that nobody knows of any more, and deaf: to end it takes five seconds of the takeover.
    const file = JSON.parse(readFileSync(join(workspace.root, '.coppice/workspace.json'), 'utf8')) as WorkspaceFile;
    const stranger = spawn('sh', ['-c', 'trap "" TERM; echo deaf; while :; do sleep 0.2; done'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, COPPICE_TREE: `${file.id}/stranger/1/0123456789ab` },
    });
    await new Promise((done) => stranger.stdout.once('data', done));
    const identity = identify(stranger.pid ?? 0);
    assert.ok(identity !== null);
    beginSuccessor(workspace);
    await untilGone([identity]);
    await untilSucceeded(workspace, lost);
    assert.ok(isAlive(web));
    assert.deepEqual(workspace.eventsNamed('supervisor_stopping'), []);
  });

  it('waits, with no grace at all, for whoever had the supervisor started', async () => {
    const workspace = openWorkspace({ idle: { grace: '0s' }, services: { web: STEADY } });
    await workspace.up();
    const web = workspace.leader('web');
    await workspace.must('stop', 'web');
    await untilGone([web]);
    await until('the idle end', () => workspace.lock === null);
  });
});
