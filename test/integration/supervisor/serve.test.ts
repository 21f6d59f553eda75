import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  closeWorkspaces,
  listing,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('`coppice serve`', () => {
  let workspace: SupervisedWorkspace;

  before(async () => {
    workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
  });

  after(closeWorkspaces);

  /** Another user's environment, as far as one user can have it. */
  function strange(): NodeJS.ProcessEnv {
    const home = join(dirname(workspace.root), 'elsewhere');
    for (const folder of [home, join(home, 'state'), join(home, 'run')])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    return { HOME: home, XDG_STATE_HOME: join(home, 'state'), XDG_RUNTIME_DIR: join(home, 'run') };
  }

  it('exits 2 in under 2 s where the workspace is held, whatever HOME and XDG folders it has (R102)', async () => {
    const began = performance.now();
    const { code } = await workspace.begin(['serve'], strange()).ended;
    assert.deepEqual([code, performance.now() - began < 2000], [2, true]);
  });

  it('names the holder by pid, host, since when, and limits', async () => {
    const { stderr } = await workspace.begin(['serve'], strange()).ended;
    const { lock } = workspace;
    const since = new Date(lock?.startedAt ?? 0).toISOString().slice(0, 16);
    for (const part of [String(lock?.pid), hostname(), String(lock?.limits.maxHeapMb)]) {
      assert.ok(stderr.includes(part), `${part} in: ${stderr}`);
    }
    assert.ok(stderr.includes(since) || /since/.test(stderr), stderr);
  });

  it('changes no file and starts no child when it loses (R106)', async () => {
    const environment = strange();
    const own = { ...environment, COPPICE_STATE_HOME: join(environment.HOME ?? '', 'state') };
    const moving = (path: string): boolean => /heartbeat|registry/.test(path);
    const look = (): unknown => [
      listing(workspace.root),
      listing(workspace.stateDir, moving),
      listing(environment.HOME ?? ''),
      listing(dirname(workspace.lock?.endpoint ?? '')),
      workspace.marked,
    ];
    const before = look();
    await workspace.begin(['serve'], own).ended;
    assert.deepEqual(look(), before);
  });

  it('is a supervisor in the foreground that starts nothing by itself', async () => {
    const other = openWorkspace({ services: { web: STEADY } });
    const served = other.begin(['serve']);
    const status = await until('the endpoint', async () => {
      const now = await other.status();
      return now.supervisor !== null && now;
    });
    assert.deepEqual([status.supervisor?.pid, status.services[0]?.state], [served.child.pid, 'stopped']);
    served.child.kill('SIGTERM');
    await served.ended;
  });

  it('lets two workspaces of one HOME be served at the same time (R103)', async () => {
    const other = openWorkspace({ services: { web: STEADY } });
    const end = await other.begin(['up', '--detach'], workspace.env).ended;
    assert.equal(end.code, 0, end.stderr);
    assert.notEqual(other.supervisor().pid, workspace.supervisor().pid);
  });

  it('exits 78 on a configuration that is wrong, before it claims anything', async () => {
    const wrong = openWorkspace({ services: { web: { comand: 'x' } } });
    const { code, stderr } = await wrong.run('serve');
    assert.deepEqual([code, wrong.lock], [78, null]);
    assert.match(stderr, /coppice\.json:\d+:\d+/);
  });

  it('is found by clients of another HOME, which stop it as the one that it is', async () => {
    const supervisor = workspace.supervisor();
    const { code } = await workspace.begin(['down'], strange()).ended;
    assert.equal(code, 0);
    await untilGone([supervisor]);
  });
});
