import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { DoctorReport, Finding } from '../../../server/doctor/types.ts';
import { lockPath } from '../../../server/store/paths.ts';
import {
  closeWorkspaces,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('`coppice doctor` on a workspace in trouble', () => {
  afterEach(closeWorkspaces);

  const look = (workspace: SupervisedWorkspace): Promise<DoctorReport> => workspace.json<DoctorReport>('doctor');
  const find = ({ findings }: DoctorReport, check: Finding['check'], words: RegExp): Finding | undefined =>
    findings.find((one) => one.check === check && words.test(one.message));

  it('answers in under 2 s beside a supervisor that is stopped, calls it that and says how to wake it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    signal(supervisor, 'SIGSTOP');
    const began = performance.now();
    const report = await look(workspace);
    const took = performance.now() - began;
    signal(supervisor, 'SIGCONT');
    assert.ok(took < 2000, `${took} ms`);
    assert.deepEqual([report.ok, report.supervisors.holder?.state], [false, 'stopped']);
    const finding = find(report, 'supervisors', /is stopped/);
    assert.equal(finding?.level, 'error');
    assert.match(finding?.fix ?? '', new RegExp(`kill -CONT ${supervisor.pid}.*kill -KILL ${supervisor.pid}`));
  });

  it('answers in under 2 s beside two supervisors, and names the one that holds no lock', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const first = await workspace.up();
    signal(first, 'SIGSTOP');
    // Whoever removes the lock by hand may get a second one, which waits for the first to go.
    rmSync(lockPath(workspace.root));
    rmSync(join(workspace.stateDir, 'supervisor.lock'));
    const second = workspace.begin(['serve']);
    await until('the second supervisor', () => workspace.lock?.pid === second.child.pid);
    const began = performance.now();
    const report = await look(workspace);
    const took = performance.now() - began;
    second.child.kill('SIGTERM');
    await second.ended;
    // The second one has removed its socket, so that no `down` reaches it.
    signal(first, 'SIGTERM');
    signal(first, 'SIGCONT');
    await untilGone([first]);
    assert.ok(took < 2000, `${took} ms`);
    assert.deepEqual([report.supervisors.count, report.supervisors.others], [2, [first.pid]]);
    assert.equal(find(report, 'supervisors', /besides the holder/)?.level, 'error');
  });

  it('finds a stray `coppice serve` whose lock was taken away', async () => {
    const workspace = openWorkspace({ services: {} });
    const serve = workspace.begin(['serve']);
    const pinned = join(workspace.root, '.coppice/workspace.json');
    await until('the supervisor', () => workspace.lock?.pid === serve.child.pid && existsSync(pinned));
    const supervisor = workspace.supervisor();
    signal(supervisor, 'SIGSTOP');
    rmSync(lockPath(workspace.root));
    const report = await look(workspace);
    signal(supervisor, 'SIGCONT');
    await until('its lock to be back', () => workspace.lock?.pid === supervisor.pid);
    serve.child.kill('SIGTERM');
    await serve.ended;
    assert.deepEqual([report.supervisors.count, report.supervisors.others], [1, [supervisor.pid]]);
    assert.ok(find(report, 'lock', /the lock is gone/));
  });

  it('says where the configuration is broken, and that what runs goes on', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    workspace.write('coppice.json', '{ "services": { "web": { "comand": "x" } } }');
    const finding = find(await look(workspace), 'configuration', /coppice\.json:1:\d+: .*comand/);
    assert.equal(finding?.level, 'error');
  });

  it('tells a heartbeat that was deleted, is torn, or is from the future apart (R118, R86, R87)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    signal(supervisor, 'SIGSTOP');
    const path = join(workspace.stateDir, 'heartbeat.json');
    const beat = { pid: supervisor.pid, startTime: supervisor.startTime };
    const verdicts: string[] = [];
    for (const text of [
      '{',
      JSON.stringify({ ...beat, at: Date.now() + 600_000 }),
      JSON.stringify({ ...beat, at: 1 }),
    ]) {
      writeFileSync(path, text);
      verdicts.push((await look(workspace)).heartbeat.verdict);
    }
    signal(supervisor, 'SIGCONT');
    assert.deepEqual(verdicts, ['corrupt', 'future', 'suspect']);
  });

  it('names who holds the port that a stopped service wants', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const workspace = openWorkspace({ services: { web: { ...STEADY, port } } });
    const report = await look(workspace);
    server.close();
    assert.deepEqual(
      report.ports.map((one) => [one.port, one.name, one.status]),
      [[port, 'web', 'taken']],
    );
    assert.match(report.ports[0]?.holder ?? '', new RegExp(`pid ${process.pid} `));
  });

  it('names the holder of the address that a service found in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const script = `require('node:net').createServer().listen(${port}, '127.0.0.1')`;
    const workspace = openWorkspace({
      services: { web: { command: [process.execPath, '-e', script], restart: 'no' } },
    });
    await workspace.run('up', '--detach');
    const finding = await until('the finding', async () => find(await look(workspace), 'services', /is in use/));
    server.close();
    assert.match(finding.message, new RegExp(`port ${port} is in use .*EADDRINUSE.*pid ${process.pid} `));
  });

  it('suggests `stdin: hold` for a service that ends with code 0 as soon as its input does', async () => {
    const workspace = openWorkspace({ services: { css: { command: ['cat'], restart: 'always' } } });
    await workspace.run('up', '--detach', '--timeout', '1s');
    const finding = await until('the finding', async () =>
      find(await look(workspace), 'services', /exited with code 0/),
    );
    assert.match(finding.fix ?? '', /stdin: hold/);
  });

  it('calls a spent budget an error, with the numbers of the policy and the way out (R115)', async () => {
    const restart = { backoff: { initial: '10ms', max: '10ms' }, crashes: { count: 3 } };
    const workspace = openWorkspace({ services: { web: { command: ['false'], restart } } });
    await workspace.run('up', '--detach');
    const [report, status] = [await look(workspace), await workspace.status()];
    const budget = report.budgets.find((one) => one.budget === 'crashes');
    assert.deepEqual([budget?.used, budget?.limit], [status.services[0]?.crashes, 3]);
    const finding = find(report, 'budgets', /web has failed/);
    assert.equal(finding?.level, 'error');
    assert.match(finding?.fix ?? '', /coppice reset web/);
  });

  it('says that the guardian is there and weighs next to nothing, and names one that is stopped', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const guardian = workspace.guardian();
    const well = await look(workspace);
    assert.deepEqual(well.guardian, { pid: guardian.pid, status: 'watching' });
    assert.match(find(well, 'guardian', /would start a successor/)?.message ?? '', /\(\d+(?:\.\d+)?[kK]?B of memory\)/);
    signal(workspace.supervisor(), 'SIGSTOP');
    signal(guardian, 'SIGSTOP');
    const ill = await look(workspace);
    signal(guardian, 'SIGCONT');
    signal(workspace.supervisor(), 'SIGCONT');
    assert.equal(ill.guardian.status, 'stopped');
  });

  it('tells that nobody will start a successor when the guardian was killed as well', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    workspace.processes();
    await workspace.killAll();
    const report = await look(workspace);
    assert.equal(report.guardian.status, 'gone');
    assert.match(find(report, 'guardian', /nobody will start a successor/)?.fix ?? '', /coppice up/);
  });

  it('lists what was set aside and what is torn, with what to do', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const aside = join(workspace.stateDir, 'registry.json.corrupt-20260101T101010123Z-ab12');
    writeFileSync(aside, 'x');
    writeFileSync(join(workspace.stateDir, 'exits', 'service%2fold-4.json'), '{');
    writeFileSync(join(workspace.stateDir, '.registry.json.4194303-0123456789ab.tmp'), 'x');
    appendFileSync(join(workspace.stateDir, 'events.jsonl'), '{"torn');
    chmodSync(join(workspace.stateDir, 'events.jsonl'), 0o622);
    const report = await look(workspace);
    for (const words of [/set aside.*ab12/, /exit records that cannot/, /half-written.*\.tmp/, /journal has no end/]) {
      assert.ok(find(report, 'state', words), words.source);
    }
    assert.ok(find(report, 'state', /other users may change .*events\.jsonl/));
  });

  it('looks at a workspace whose state directory others can read, and says so', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    chmodSync(workspace.stateDir, 0o755);
    const { code, stdout } = await workspace.run('doctor', '--json');
    chmodSync(workspace.stateDir, 0o700);
    const report = JSON.parse(stdout) as DoctorReport;
    assert.deepEqual([code, report.ok], [1, false]);
    assert.ok(report.findings.some((one) => one.level === 'error' && /mode 0700 is needed/.test(one.message)));
  });
});
