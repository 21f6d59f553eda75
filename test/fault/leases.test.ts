import assert from 'node:assert/strict';
import type { StatusResult } from '../../server/api/protocol.ts';
import { killClients, TestClient } from '../support/client.ts';
import {
  closeWorkspaces,
  DEAF,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';

const GRACE_MS = 400;
const IDLE = { grace: `${GRACE_MS}ms` };

describe('the lease of a session, with real processes', () => {
  afterEach(async () => {
    killClients();
    await closeWorkspaces();
  });

  /** A supervisor that runs nothing yet and is not idle, as somebody watches it. */
  async function serve(config: object): Promise<SupervisedWorkspace> {
    const workspace = openWorkspace({ idle: IDLE, ...config });
    workspace.begin(['serve']);
    await until('the supervisor', () => workspace.lock !== null);
    const watching = await TestClient.open(workspace, 'watching', 'other');
    await watching.request('status', {});
    workspace.supervisor();
    return workspace;
  }

  const passGraces = async (count: number): Promise<void> => {
    const end = performance.now() + count * GRACE_MS;
    await until(`${count} graces`, () => performance.now() > end, {
      timeoutMs: count * GRACE_MS + 1000,
      intervalMs: 50,
    });
  };
  const reaped = (workspace: SupervisedWorkspace) =>
    workspace.eventsNamed('session_reaped').map(({ session, trees, confirmed, survivors }) => ({
      session,
      trees,
      confirmed,
      survivors,
    }));
  const statusOf = async (workspace: SupervisedWorkspace): Promise<StatusResult> => workspace.status();

  it('is over a grace after its window was killed: what it started is gone, and the journal has the proof', async () => {
    const workspace = await serve({ services: { web: STEADY, api: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    const other = await TestClient.open(workspace, 'o');
    await window.up('web');
    await other.up('api');
    const [web, api] = [workspace.leader('web'), workspace.leader('api')];
    window.kill();
    await untilGone([web]);
    await until('the record of it', () => reaped(workspace).length > 0);
    assert.deepEqual(reaped(workspace), [{ session: 'w', trees: ['web'], confirmed: 1, survivors: [] }]);
    assert.equal(isAlive(api), true);
  });

  it('is told to nobody else: another session hears nothing of its own services (R99)', async () => {
    const workspace = await serve({ services: { web: STEADY, api: STEADY, last: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    const other = await TestClient.open(workspace, 'o');
    await window.up('web');
    await other.up('api');
    await other.request('subscribe', {});
    // The first notification holds everything, so that one is brought about.
    await other.up('last');
    const heardOf = (name: string): boolean =>
      other.changes.some(({ services }) => services.some((one) => one.name === name && one.state === 'ready'));
    await until('the news of the last start', () => heardOf('last'));
    other.changes.length = 0;
    window.kill();
    await until('the end of web', () => reaped(workspace).length > 0);
    const heard = other.changes.flatMap((change) => change.services.map((one) => one.name));
    assert.deepEqual(
      heard.filter((name) => name !== 'web'),
      [],
    );
  });

  it('goes on through the reload of its window: another process, the same name', async () => {
    const workspace = await serve({ services: { web: STEADY } });
    const before = await TestClient.open(workspace, 'w');
    await before.up('web');
    const web = workspace.leader('web');
    before.kill();
    await TestClient.open(workspace, 'w');
    await passGraces(4);
    assert.deepEqual([isAlive(web), reaped(workspace)], [true, []]);
  });

  it('goes on through a reload during which the supervisor is killed too', async () => {
    const workspace = await serve({ services: { web: STEADY } });
    const before = await TestClient.open(workspace, 'w');
    await before.up('web');
    const web = workspace.leader('web');
    const lost = workspace.supervisor();
    before.kill();
    signal(lost, 'SIGKILL');
    await workspace.successorOf(lost);
    await TestClient.open(workspace, 'w');
    await passGraces(4);
    assert.deepEqual([isAlive(web), (await statusOf(workspace)).services[0]?.owner], [true, 'w']);
  });

  it('is over in the hands of a successor, when window and supervisor were killed and nobody came back', async () => {
    const workspace = await serve({ services: { web: STEADY, kept: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    await window.up('web');
    await workspace.up('kept');
    const [web, kept] = [workspace.leader('web'), workspace.leader('kept')];
    const lost = workspace.supervisor();
    signal(lost, 'SIGKILL');
    window.kill();
    await workspace.successorOf(lost);
    await untilGone([web], 15_000);
    assert.equal(isAlive(kept), true);
  });

  it('is held by a terminal that is suspended and has lost its supervisor', async () => {
    const workspace = openWorkspace({ idle: IDLE, services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await until('web to be ready', () => /ready/.test(up.stderr + up.stdout));
    const web = workspace.leader('web');
    const lost = workspace.supervisor();
    up.child.kill('SIGSTOP');
    signal(lost, 'SIGKILL');
    const successor = await workspace.successorOf(lost);
    // Longer than a client is given to find the successor.
    const end = performance.now() + 7_000;
    await until('seven seconds', () => performance.now() > end, { timeoutMs: 9_000, intervalMs: 100 });
    assert.deepEqual([isAlive(web), isAlive(successor)], [true, true]);
    up.child.kill('SIGKILL');
    up.child.kill('SIGCONT');
    await untilGone([web, successor]);
  });

  it('is not held by another process that has its pid now', async () => {
    const workspace = await serve({ services: { web: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    await window.up('web');
    const web = workspace.leader('web');
    const supervisor = workspace.supervisor();
    window.disconnect();
    await passGraces(2);
    assert.equal(isAlive(web), true, 'its process lives');
    await workspace.killAll();
    assert.equal(isAlive(supervisor), false);
    // What the registry has of the process now names a start that was another one's.
    workspace.rewriteRegistry((text) =>
      text.replaceAll(`"startTime":"${window.process.startTime}"`, '"startTime":"1"'),
    );
    workspace.begin(['serve']);
    await until('a successor', async () => (await statusOf(workspace)).supervisor !== null);
    workspace.supervisor();
    await untilGone([web], 15_000);
  });

  it('passes to the session that asked as well, under the same pid, and is over with that one', async () => {
    const workspace = await serve({ services: { db: STEADY, web: { ...STEADY, dependsOn: ['db'] } } });
    const one = await TestClient.open(workspace, 'one');
    const two = await TestClient.open(workspace, 'two', 'agent');
    await one.up('web');
    await two.up('web');
    const leaders = [workspace.leader('db'), workspace.leader('web')];
    one.kill();
    await until('the handover', () => workspace.eventsNamed('session_reaped').length === 1);
    const owners = (await statusOf(workspace)).services.map(({ owner, ownerKind }) => `${ownerKind} ${owner}`);
    assert.deepEqual(
      [leaders.map(isAlive), owners],
      [
        [true, true],
        ['named two', 'named two'],
      ],
    );
    two.kill();
    await untilGone(leaders);
  });

  it('leaves what says `onOwnerLoss: adopt`, to the workspace', async () => {
    const workspace = await serve({ services: { web: { ...STEADY, onOwnerLoss: 'adopt' }, api: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    await window.up('web', 'api');
    const [web, api] = [workspace.leader('web'), workspace.leader('api')];
    window.kill();
    await untilGone([api]);
    const status = await workspace.untilService('web', (one) => one.owner === 'configuration');
    assert.deepEqual([isAlive(web), status.ownerKind], [true, 'configuration']);
  });

  it('ends a run that its session started', async () => {
    const workspace = await serve({ tasks: { build: { command: ['sleep', '1000'] } } });
    const window = await TestClient.open(workspace, 'w');
    await window.request('up', { names: ['build'] });
    await until('the task', () => workspace.records.length > 0);
    const build = workspace.leader('build');
    window.kill();
    await untilGone([build]);
    const [run] = (await statusOf(workspace)).runs;
    assert.deepEqual([run?.state, run?.owner], ['canceled', 'w']);
  });

  it('waits, when its terminal is closed (SIGHUP), as it does when that is killed', async () => {
    const workspace = openWorkspace({ idle: { grace: '1500ms' }, services: { web: STEADY } });
    const up = workspace.begin(['up']);
    await until('web to be ready', () => /ready/.test(up.stderr + up.stdout));
    const processes = [workspace.supervisor(), ...workspace.processes()];
    up.child.kill('SIGHUP');
    const end = await up.ended;
    assert.deepEqual([end.signal, processes.every(isAlive)], ['SIGHUP', true]);
    await untilGone(processes);
  });

  it('is joined by a new terminal within the grace, and what runs is that one’s from then on', async () => {
    const workspace = openWorkspace({ idle: { grace: '1s' }, services: { web: STEADY } });
    const first = workspace.begin(['up']);
    await until('web to be ready', () => /ready/.test(first.stderr + first.stdout));
    const web = workspace.leader('web');
    first.child.kill('SIGHUP');
    await first.ended;
    const second = workspace.begin(['up']);
    await until('web to be ready', () => /ready/.test(second.stderr + second.stdout));
    await until('the handover', () => workspace.eventsNamed('session_reaped').length === 1);
    assert.equal(isAlive(web), true);
    const { owner, ownerKind } = await workspace.service('web');
    assert.deepEqual([ownerKind, owner.startsWith(`up-${second.child.pid}-`)], ['terminal', true]);
    second.child.kill('SIGINT');
    await second.ended;
  });

  it('shows in `ps` who is away and what becomes of it', async () => {
    const workspace = openWorkspace({ idle: { grace: '5m' }, services: { web: STEADY } });
    workspace.begin(['serve']);
    await until('the supervisor', () => workspace.lock !== null);
    const window = await TestClient.open(workspace, 'w');
    await window.up('web');
    window.kill();
    const { stdout } = await workspace.run('ps');
    assert.match(stdout, /of window w[^\n]*\n/);
    assert.match(stdout, /session w \(window\), (?:gone; what belongs to it is ended in|not connected)[^\n]*: web/);
  });

  it('ends at once by `reap --session`, which tells what it ended and what it left to whom', async () => {
    const workspace = await serve({ services: { db: STEADY, web: STEADY, api: { ...STEADY, dependsOn: ['db'] } } });
    const window = await TestClient.open(workspace, 'w');
    const other = await TestClient.open(workspace, 'o');
    await window.up('db', 'web');
    await other.up('api');
    const { code, stdout } = await workspace.run('reap', '--session', 'w', '--json');
    const { known, trees, handedOver } = JSON.parse(stdout);
    assert.deepEqual(
      [code, known, trees.map((tree: { name: string }) => tree.name), handedOver],
      [0, true, ['web'], [{ name: 'db', to: 'o' }]],
    );
  });

  it('is told apart from a session that nobody knows, which is listed beside those that there are', async () => {
    const workspace = await serve({ services: { web: STEADY } });
    const window = await TestClient.open(workspace, 'w');
    await window.up('web');
    const { code, stdout, stderr } = await workspace.run('reap', '--session', 'v');
    assert.deepEqual([code, stdout], [0, 'Nothing is left: nothing was running.\n']);
    assert.match(stderr, /there is no session v.*There are:[\s\S]*w \(window\), connected: web/);
  });

  it('ends what is deaf to SIGTERM as well', async () => {
    const workspace = await serve({ services: { web: { ...DEAF, stopTimeout: '300ms' } } });
    const window = await TestClient.open(workspace, 'w');
    await window.up('web');
    const processes = workspace.processes();
    window.kill();
    await untilGone(processes);
    await until('the record of it', () => reaped(workspace).length > 0);
    assert.deepEqual(reaped(workspace)[0]?.survivors, []);
  });
});
