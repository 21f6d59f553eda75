import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockPath } from '../../server/store/paths.ts';
import {
  closeWorkspaces,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../support/supervised.ts';
import { until } from '../support/until.ts';

const GARBAGE = '{"version":1,"trees":[{"key":"service/web","tree":{"leader"';

describe('state that was torn before a supervisor starts', () => {
  afterEach(closeWorkspaces);

  /** A workspace whose supervisor was killed, its service left running. */
  async function abandoned(): Promise<SupervisedWorkspace> {
    const workspace = openWorkspace({ services: { web: { ...STEADY, port: 'auto' } } });
    await workspace.up();
    await until('the whole registry', () => readdirSync(workspace.stateDir).includes('registry.json'));
    await until(
      'no change that is not in it',
      () => readFileSync(join(workspace.stateDir, 'registry.changes.jsonl'), 'utf8') === '',
    );
    await workspace.killAll();
    return workspace;
  }

  function aside(workspace: SupervisedWorkspace, name: string): string[] {
    return readdirSync(workspace.stateDir).filter((one) => one.startsWith(`${name}.corrupt-`));
  }

  it('registry.json is set aside as it was, the journal says so, and the running service is kept under its pid (R77)', async () => {
    const workspace = await abandoned();
    const leader = workspace.leader('web');
    const { port } = (await workspace.status()).services[0] ?? {};
    writeFileSync(join(workspace.stateDir, 'registry.json'), GARBAGE);
    await workspace.up();
    const [kept] = aside(workspace, 'registry.json');
    assert.equal(readFileSync(join(workspace.stateDir, kept ?? ''), 'utf8'), GARBAGE);
    assert.equal(workspace.eventsNamed('state_set_aside').length, 1);
    const service = await workspace.service('web');
    assert.deepEqual(
      [service.pid, service.incarnation, isAlive(leader), workspace.marked.length],
      [leader.pid, 1, true, 1],
    );
    assert.ok(service.port !== null && (port === null || service.port === port));
  });

  for (const [what, damage] of [
    ['empty', (path: string) => truncateSync(path, 0)],
    ['no JSON', (path: string) => writeFileSync(path, '\0\0\0\0')],
    ['another shape', (path: string) => writeFileSync(path, '{"version":1,"trees":{}}')],
  ] as const) {
    it(`registry.json that is ${what} is never fatal and doubles nothing`, async () => {
      const workspace = await abandoned();
      damage(join(workspace.stateDir, 'registry.json'));
      await workspace.up();
      assert.deepEqual([aside(workspace, 'registry.json').length, workspace.marked.length], [1, 1]);
    });
  }

  it('a registry that was removed doubles nothing either', async () => {
    const workspace = await abandoned();
    const leader = workspace.leader('web');
    rmSync(join(workspace.stateDir, 'registry.json'));
    rmSync(join(workspace.stateDir, 'registry.changes.jsonl'));
    await workspace.up();
    assert.deepEqual([(await workspace.service('web')).pid, workspace.marked.length], [leader.pid, 1]);
  });

  it('a registry that was removed is reported', async () => {
    const workspace = await abandoned();
    for (const name of ['registry.json', 'registry.changes.jsonl']) rmSync(join(workspace.stateDir, name));
    await workspace.up();
    assert.deepEqual(
      workspace.eventsNamed('state_set_aside').map((one) => one.kind),
      ['registry_removed'],
    );
  });

  it('a torn registry is rebuilt from the process table where the journal does not reach back either', async () => {
    const workspace = await abandoned();
    const leader = workspace.leader('web');
    writeFileSync(join(workspace.stateDir, 'registry.json'), GARBAGE);
    rmSync(join(workspace.stateDir, 'events.jsonl'));
    await workspace.up();
    const service = await workspace.service('web');
    assert.deepEqual([service.pid, service.state, workspace.marked.length], [leader.pid, 'ready', 1]);
    const [record] = workspace.records;
    assert.ok(record?.tree.keeper !== null && isAlive(record?.tree.keeper ?? leader));
    assert.deepEqual([record?.incarnation, record?.key], [1, 'service/web']);
  });

  it('a registry that is removed under a living supervisor is written anew within a round', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    workspace.begin(['serve'], { COPPICE_ROUND_MS: '100' });
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    const leader = workspace.leader('web');
    const path = join(workspace.stateDir, 'registry.json');
    await until('the whole registry', () => existsSync(path));
    rmSync(path);
    await until('the registry again', () => existsSync(path));
    await workspace.killAll();
    await workspace.up();
    assert.deepEqual([workspace.leader('web'), workspace.marked.length], [leader, 1]);
  });

  it('a whole state directory that was removed has the service ended, proven, and started anew', async () => {
    const workspace = await abandoned();
    const leader = workspace.leader('web');
    rmSync(workspace.stateDir, { recursive: true });
    await workspace.up();
    assert.deepEqual([isAlive(leader), workspace.marked.length], [false, 1]);
    assert.equal(workspace.eventsNamed('tree_reaped').length, 1);
  });

  it('a torn tail of the journal swallows no later event', async () => {
    const workspace = await abandoned();
    const before = workspace.events.length;
    appendFileSync(join(workspace.stateDir, 'events.jsonl'), '{"seq":99,"at":1,"eve');
    await workspace.up();
    const started = workspace.events.slice(before);
    assert.ok(started.some((one) => one.event === 'supervisor_started'));
    const sequence = workspace.events.map((one) => one.seq);
    assert.deepEqual(
      sequence,
      [...new Set(sequence)].sort((a, b) => a - b),
    );
  });

  it('a heartbeat that is torn is set aside, the journal says so, and the next one takes its place', async () => {
    const workspace = await abandoned();
    writeFileSync(join(workspace.stateDir, 'heartbeat.json'), '{"pid":');
    const supervisor = await workspace.up();
    assert.equal(JSON.parse(readFileSync(join(workspace.stateDir, 'heartbeat.json'), 'utf8')).pid, supervisor.pid);
    assert.equal(aside(workspace, 'heartbeat.json').length, 1);
    assert.equal(workspace.eventsNamed('state_set_aside')[0]?.kind, 'heartbeat_corrupt');
  });

  it('a workspace.json that is torn is set aside, the journal says so, and it is written anew', async () => {
    const workspace = await abandoned();
    const { stateDir } = workspace;
    const leader = workspace.leader('web');
    writeFileSync(join(workspace.root, '.coppice/workspace.json'), '{"id":');
    const end = await workspace.run('up', '--detach');
    assert.equal(end.code, 0, end.stderr);
    assert.equal(workspace.stateDir, stateDir);
    const kept = readdirSync(join(workspace.root, '.coppice')).filter((one) =>
      one.startsWith('workspace.json.corrupt-'),
    );
    assert.equal(kept.length, 1);
    assert.match(String(workspace.eventsNamed('health_warn')[0]?.detail), /workspace\.json/);
    assert.equal((await workspace.service('web')).pid, leader.pid);
  });

  it('a lock that is torn is set aside or replaced, and the workspace can be claimed', async () => {
    const workspace = await abandoned();
    const leader = workspace.leader('web');
    writeFileSync(lockPath(workspace.root), '{"pid":1');
    await workspace.up();
    assert.equal((await workspace.service('web')).pid, leader.pid);
  });

  it('an exit record that is torn is an unknown end, which counts as a crash (R116)', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, restart: { policy: 'no' } } } });
    await workspace.up();
    const record = workspace.records[0];
    const leader = workspace.leader('web');
    await workspace.killAll();
    signal(leader, 'SIGKILL');
    await untilGone([leader]);
    await until('the record', () => existsSync(record?.exitRecordPath ?? ''));
    writeFileSync(record?.exitRecordPath ?? '', '{"pid":');
    const served = workspace.begin(['serve']);
    await until('the successor', async () => (await workspace.status()).supervisor !== null);
    const { lastExit } = await workspace.untilService('web', (one) => one.lastExit !== null);
    assert.equal(lastExit?.cause, 'unknown');
    served.child.kill('SIGTERM');
    await served.ended;
  });
});
