import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { DoctorReport } from '../../../server/doctor/types.ts';
import { identify } from '../../../server/process/identity.ts';
import { DOCTOR_SHAPE, misfits } from '../../support/shape.ts';
import {
  closeWorkspaces,
  isAlive,
  listing,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('`coppice doctor` in a real workspace', () => {
  let workspace: SupervisedWorkspace;
  const strays: ChildProcess[] = [];

  before(async () => {
    workspace = openWorkspace({ services: { web: { ...STEADY, port: 'auto' }, other: STEADY } });
    await workspace.up();
  });

  afterEach(async () => {
    for (const stray of strays.splice(0)) {
      const ended = new Promise((resolve) => stray.once('exit', resolve));
      stray.kill('SIGKILL');
      await ended;
    }
  });

  after(closeWorkspaces);

  const report = (): Promise<DoctorReport> => workspace.json<DoctorReport>('doctor');

  it('reports in the shape of the contract, field by field', async () => {
    assert.deepEqual(misfits(await report(), DOCTOR_SHAPE), []);
  });

  it('exits 0 and finds no fault with a healthy workspace', async () => {
    const { code } = await workspace.run('doctor');
    const { ok, findings, supervisors, heartbeat } = await report();
    assert.deepEqual(
      {
        code,
        ok,
        faults: findings.filter((one) => one.level !== 'info'),
        count: supervisors.count,
        verdict: heartbeat.verdict,
      },
      { code: 0, ok: true, faults: [], count: 1, verdict: 'fresh' },
    );
  });

  it('lists every running service by its leader', async () => {
    const { services } = await workspace.status();
    const { processes } = await report();
    assert.deepEqual(
      processes.map(({ name, pid, status }) => [name, pid, status]).sort(),
      services.map(({ name, pid }) => [name, pid, 'running']).sort(),
    );
  });

  it('names an orphan: what carries the marker and belongs to no known tree', async () => {
    const { id } = (await workspace.status()).workspace;
    const stray = spawn('sleep', ['1000'], {
      env: { PATH: process.env.PATH, COPPICE_TREE: `${id}/lost/7/0123456789ab` },
      stdio: 'ignore',
    });
    strays.push(stray);
    await until('the stray', () => identify(stray.pid ?? 0) !== null);
    const { code, stdout } = await workspace.run('doctor', '--json');
    const { orphans, findings } = JSON.parse(stdout) as DoctorReport;
    assert.deepEqual([code, orphans.map((one) => one.pid)], [1, [stray.pid]]);
    assert.ok(
      findings.some(
        (one) => one.check === 'orphans' && one.message.includes(String(stray.pid)) && one.message.includes('lost'),
      ),
    );
    assert.equal(identify(stray.pid ?? 0) !== null, true);
  });

  it('does not take the marker of another workspace for one of its own', async () => {
    strays.push(
      spawn('sleep', ['1000'], {
        env: { COPPICE_TREE: 'ffffffffffffffff/web/1/0123456789ab', PATH: process.env.PATH },
        stdio: 'ignore',
      }),
    );
    assert.deepEqual((await report()).orphans, []);
  });

  it('names a leader that ended while its supervisor could not see it', async () => {
    const other = openWorkspace({ services: { web: STEADY } });
    const supervisor = await other.up();
    const leader = other.leader('web');
    signal(supervisor, 'SIGSTOP');
    try {
      signal(leader, 'SIGKILL');
      await untilGone([leader]);
      const { deadProcesses } = await other.json<DoctorReport>('doctor');
      assert.deepEqual(deadProcesses, [leader.pid]);
    } finally {
      signal(supervisor, 'SIGCONT');
    }
  });

  it('changes nothing, neither in the workspace nor in its state nor elsewhere', async () => {
    const moving = (path: string): boolean => path.endsWith('heartbeat.json');
    const before = listing(dirname(workspace.root), moving);
    await report();
    await workspace.run('doctor');
    assert.deepEqual(listing(dirname(workspace.root), moving), before);
  });

  it('answers in under 2 s with the supervisor down, names what runs without it, and starts none', async () => {
    const other = openWorkspace({ services: { web: STEADY } });
    const supervisor = await other.up();
    const leader = other.leader('web');
    await other.killAll();
    const before = listing(dirname(other.root));
    const began = performance.now();
    const found = await other.json<DoctorReport>('doctor');
    assert.ok(performance.now() - began < 2000);
    assert.deepEqual(misfits(found, DOCTOR_SHAPE), []);
    assert.deepEqual(
      [found.supervisors.count, found.supervisors.holder?.state, found.heartbeat.verdict, found.processes[0]?.pid],
      [0, 'dead', 'dead', leader.pid],
    );
    assert.ok(found.findings.some((one) => one.level === 'warn' && one.message.includes(String(leader.pid))));
    assert.deepEqual([isAlive(leader), other.lock?.pid], [true, supervisor.pid]);
    assert.deepEqual(listing(dirname(other.root)), before);
  });

  it('says nothing is wrong with a folder that never had a supervisor', async () => {
    const fresh = openWorkspace({ services: { web: STEADY } });
    const { code, stdout } = await fresh.run('doctor', '--json');
    assert.deepEqual([code, misfits(JSON.parse(stdout), DOCTOR_SHAPE)], [0, []]);
  });
});
