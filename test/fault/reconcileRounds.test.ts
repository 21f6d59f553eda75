import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { heartbeatPath } from '../../server/store/paths.ts';
import { openRegistry } from '../../server/store/registry.ts';
import type { TreeRecord } from '../../server/store/types.ts';
import { beginSuccessor, killSupervisor, untilSucceeded } from '../support/successor.ts';
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

/** Leaves a process in a session of its own that carries no mark of the tree. */
const ESCAPING = {
  command: [
    'sh',
    '-c',
    "(env -i PATH=/usr/bin:/bin setsid sh -c 'echo $$ > escaped; exec sleep 1000' &); echo up; exec sleep 1000",
  ],
  ready: { log: 'up', interval: '20ms' },
};
const SHORT_ROUNDS = { COPPICE_ROUND_MS: '150' };

describe('the rounds of the reconciler', () => {
  afterEach(closeWorkspaces);

  async function serve(workspace: SupervisedWorkspace): Promise<void> {
    workspace.begin(['serve'], SHORT_ROUNDS);
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
  }

  /** Changes what the registry holds while nobody supervises. */
  function rewrite(workspace: SupervisedWorkspace, change: (record: TreeRecord) => TreeRecord): void {
    const { registry } = openRegistry(workspace.stateDir, { supervisor: { pid: 1, startTime: '0' } });
    for (const record of registry.records()) {
      registry.unregister(record.key);
      registry.registerNow(change(record));
    }
    registry.close();
  }

  const ELSEWHERE = { hostname: `${hostname()}-other`, pidNamespace: 'pid:[1]' };

  it('end a tree by marker that no record knows, with proof, and only that', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await serve(workspace);
    const leader = workspace.leader('web');
    const id = leader && workspace.records[0]?.tree.marker.split('/')[0];
    const env = { ...process.env, COPPICE_TREE: `${id}/web/7/abcdef` };
    const child = spawn('sleep', ['1000'], { env, detached: true, stdio: 'ignore' });
    const stranger = identify(child.pid ?? 0);
    assert.ok(stranger !== null);
    await untilGone([stranger]);
    await until('the report', () => workspace.eventsNamed('tree_reaped').some((one) => one.incarnation === 7));
    assert.ok(workspace.eventsNamed('reconciled').some((one) => one.verdict === 'unrecorded' && one.pid === child.pid));
    assert.ok(isAlive(leader));
  });

  it('tell a service of the end of a leader whose keeper is stopped and can tell nobody', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, restart: { backoff: { initial: '10ms' } } } } });
    await serve(workspace);
    const [leader, keeper] = workspace.processes();
    assert.ok(leader !== undefined && keeper !== undefined);
    signal(keeper, 'SIGSTOP');
    signal(leader, 'SIGKILL');
    const service = await workspace.untilService('web', (one) => one.incarnation === 2 && one.state === 'ready');
    assert.equal(service.lastExit?.cause, 'unknown');
    if (isAlive(keeper)) signal(keeper, 'SIGCONT');
    await untilGone([keeper]);
  });

  it('leave a tree of another machine alone while its supervisor may live, and give it up when that is silent', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const leader = workspace.leader('web');
    const lost = await killSupervisor(workspace);
    const bootId = '00000000-0000-4000-8000-000000000000';
    const foreign = (record: TreeRecord): TreeRecord => ({
      ...record,
      place: ELSEWHERE,
      tree: { ...record.tree, leader: { ...record.tree.leader, bootId }, keeper: null },
    });
    rewrite(workspace, foreign);
    // Fresh for two seconds more.
    const path = heartbeatPath(workspace.stateDir);
    const beat = JSON.parse(readFileSync(path, 'utf8'));
    // As one of another machine, whose clocks mean nothing here.
    const clock = { ...beat.clock, bootId };
    writeFileSync(path, JSON.stringify({ ...beat, clock, at: Date.now() - 5 * 60_000 + 2_000 }));
    beginSuccessor(workspace, SHORT_ROUNDS);
    await untilSucceeded(workspace, lost);
    const verdicts = (): unknown[] => workspace.eventsNamed('reconciled').map((one) => one.verdict);
    assert.equal(verdicts()[0], 'presumed_alive');
    await until('the last verdict', () => verdicts().includes('dead'));
    const dead = workspace.eventsNamed('reconciled').find((one) => one.verdict === 'dead');
    assert.equal((dead?.heartbeat as { pid: number } | undefined)?.pid, lost.pid);
    if (isAlive(leader)) signal(leader, 'SIGKILL');
  });

  it('look at what a failed end left until it is gone, however often its service was started since', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const lost = await killSupervisor(workspace);
    const env = { ...process.env, COPPICE_TREE: 'x/web/1/rest' };
    const child = spawn('sleep', ['1000'], { env, detached: true, stdio: 'ignore' });
    const rest = identify(child.pid ?? 0);
    assert.ok(rest !== null);
    const { registry } = openRegistry(workspace.stateDir, { supervisor: { pid: 1, startTime: '0' } });
    const [record] = registry.records();
    assert.ok(record !== undefined);
    const tree = { leader: rest, keeper: null, group: rest.pid, session: rest.pid, marker: 'x/web/1/rest' };
    registry.unregister(record.key);
    registry.registerNow({ ...record, tree });
    registry.registerNow(record);
    registry.close();
    assert.equal(workspace.records.length, 2);
    beginSuccessor(workspace, SHORT_ROUNDS);
    await untilSucceeded(workspace, lost);
    await untilGone([rest]);
    await until('the forgotten leftover', () => workspace.records.length === 1);
    assert.equal(workspace.records[0]?.key, 'service/web');
    assert.deepEqual(workspace.leader('web'), record.tree.leader);
  });

  it('write the last heartbeat down as evidence of a death that nobody saw (R84)', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, restart: 'no' } } });
    await workspace.up();
    const [leader, keeper] = workspace.processes();
    const lost = await killSupervisor(workspace);
    assert.ok(leader !== undefined && keeper !== undefined);
    signal(keeper, 'SIGKILL');
    signal(leader, 'SIGKILL');
    await untilGone([leader, keeper]);
    beginSuccessor(workspace);
    await untilSucceeded(workspace, lost);
    const [verdict] = workspace.eventsNamed('reconciled');
    const evidence = verdict?.heartbeat as { pid: number; ageMs: number; note: string };
    assert.deepEqual([verdict?.verdict, evidence.pid, typeof evidence.note], ['dead', lost.pid, 'string']);
    assert.ok(evidence.ageMs < 60_000, join('age', String(evidence.ageMs)));
  });

  it('show no run any more whose folder was removed', async () => {
    const workspace = openWorkspace({ services: {}, tasks: { build: { command: ['true'] } } });
    workspace.begin(['serve'], SHORT_ROUNDS);
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.run('up', '--detach', '--no-wait', 'build');
    const run = await until('the run', async () =>
      (await workspace.status()).runs.find((one) => one.state === 'succeeded'),
    );
    rmSync(join(workspace.stateDir, 'runs', run.id), { recursive: true });
    await until('no run', async () => (await workspace.status()).runs.length === 0);
  });

  for (const role of ['service', 'task'] as const) {
    it(`have a successor know of what a ${role} let slip away, its marks shed and its keeper killed`, async () => {
      const { command } = ESCAPING;
      const workspace = openWorkspace(
        role === 'service'
          ? { services: { web: { ...ESCAPING, restart: 'no' } } }
          : { services: {}, tasks: { web: { command } } },
      );
      workspace.begin(['serve'], SHORT_ROUNDS);
      await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
      await workspace.run('up', '--detach', '--no-wait', 'web');
      const pid = await until('the escapee', () => {
        const path = join(workspace.root, 'escaped');
        return existsSync(path) && Number(readFileSync(path, 'utf8'));
      });
      const escaped = identify(pid);
      assert.ok(escaped !== null);
      await until('the lineage on record', () => workspace.records[0]?.lineage.some((one) => one.pid === pid));
      const processes = workspace.processes();
      const lost = await killSupervisor(workspace);
      for (const one of processes.reverse()) signal(one, 'SIGKILL');
      await untilGone(processes);
      assert.ok(isAlive(escaped));
      beginSuccessor(workspace);
      await untilSucceeded(workspace, lost);
      await untilGone([escaped]);
    });
  }
});
