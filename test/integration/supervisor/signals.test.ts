import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listeningPorts } from '../../../server/process/ports.ts';
import {
  closeWorkspaces,
  DEAF,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';
import type { RunningCommand } from '../../support/workspace.ts';

/** `serve` is the supervisor itself, so that its exit code can be seen. */
async function serving(workspace: SupervisedWorkspace): Promise<RunningCommand> {
  const command = workspace.begin(['serve']);
  await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
  return command;
}

describe('signals to a supervisor', () => {
  afterEach(closeWorkspaces);

  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`${name} ends every tree, then the supervisor with exit ${code}`, async () => {
      const workspace = openWorkspace({ services: { web: STEADY, deaf: { ...DEAF, stopTimeout: '200ms' } } });
      const served = await serving(workspace);
      const processes = [await workspace.up(), ...workspace.processes()];
      served.child.kill(name);
      assert.equal((await served.ended).code, code);
      await untilGone(processes, 0);
      assert.equal(workspace.lock, null);
    });
  }

  it('SIGINT and SIGTERM at once, and both again, are one drain, with the exit code of the first (R13, R14)', async () => {
    const workspace = openWorkspace({ services: { deaf: { ...DEAF, stopTimeout: '400ms' } } });
    const served = await serving(workspace);
    await workspace.up();
    const processes = workspace.processes();
    served.child.kill('SIGINT');
    await until('the drain', () => workspace.eventsNamed('supervisor_stopping').length > 0, { intervalMs: 5 });
    for (const name of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) served.child.kill(name);
    assert.equal((await served.ended).code, 130);
    await untilGone(processes, 0);
    const counts = ['supervisor_stopping', 'tree_reaped', 'supervisor_stopped'].map(
      (event) => workspace.eventsNamed(event).length,
    );
    assert.deepEqual(counts, [1, 1, 1]);
  });

  it('two different signals in the same instant end it with the code of one of them, and one drain (R13)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const served = await serving(workspace);
    await workspace.up();
    served.child.kill('SIGTERM');
    served.child.kill('SIGINT');
    const { code } = await served.ended;
    const by = workspace.eventsNamed('supervisor_stopping')[0]?.by;
    assert.equal(code, by === 'SIGTERM' ? 143 : 130);
    assert.equal(workspace.eventsNamed('supervisor_stopping').length, 1);
  });

  it('a service that ignores SIGTERM is given its whole stopTimeout, then killed (R18, R19)', async () => {
    const workspace = openWorkspace({ services: { deaf: { ...DEAF, stopTimeout: '700ms' } } });
    await workspace.up();
    const leader = workspace.leader('deaf');
    const stopped = workspace.run('stop', 'deaf');
    await until('the stop', async () => (await workspace.service('deaf')).state === 'stopping', { intervalMs: 1 });
    const began = performance.now();
    await untilGone([leader]);
    const lasted = performance.now() - began;
    assert.equal((await stopped).code, 0);
    assert.ok(lasted > 450 && lasted < 3000, `${lasted} ms`);
    assert.equal((await workspace.service('deaf')).lastExit?.signal, 'SIGKILL');
  });

  it('SIGHUP is ignored: a terminal that closes ends nothing (R32)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const leader = workspace.leader('web');
    signal(supervisor, 'SIGHUP');
    // Answered after the signal was delivered: signals are handled before the next request is read.
    await workspace.status();
    assert.deepEqual(
      [isAlive(supervisor), isAlive(leader), workspace.eventsNamed('supervisor_stopping').length],
      [true, true, 0],
    );
  });

  for (const name of ['SIGPIPE', 'SIGCONT', 'SIGWINCH', 'SIGUSR1', 'SIGUSR2'] as const) {
    it(`${name} neither ends it nor has it listen at a port (R31)`, async () => {
      const workspace = openWorkspace({ services: { web: STEADY } });
      const supervisor = await workspace.up();
      signal(supervisor, name);
      await workspace.status();
      assert.deepEqual([isAlive(supervisor), await listeningPorts([supervisor.pid])], [true, []]);
    });
  }

  it('SIGTERM during a 60 s backoff ends it in under a second, and nothing is spawned afterwards (R21)', async () => {
    const workspace = openWorkspace({
      services: {
        crashes: {
          command: ['sh', '-c', 'exit 1'],
          restart: { policy: 'on-failure', backoff: { initial: '60s', max: '60s' } },
        },
      },
    });
    const served = await serving(workspace);
    await workspace.run('up', '--detach', '--no-wait');
    await workspace.untilService('crashes', (one) => one.state === 'backoff');
    const began = performance.now();
    served.child.kill('SIGTERM');
    assert.equal((await served.ended).code, 143);
    assert.ok(performance.now() - began < 1000);
    const events = workspace.events.map((one) => one.event);
    assert.equal(events.lastIndexOf('service_spawned') < events.indexOf('supervisor_stopping'), true);
  });

  it('stop during the wait for readiness leaves nothing and starts nothing (R22)', async () => {
    const workspace = openWorkspace({
      services: { never: { command: ['sleep', '1000'], ready: { log: 'never said', timeout: '60s' } } },
    });
    await workspace.run('up', '--detach', '--no-wait');
    await workspace.untilService('never', (one) => one.pid !== null);
    const processes = workspace.processes();
    assert.equal((await workspace.run('stop', 'never')).code, 0);
    await untilGone(processes, 0);
    assert.equal((await workspace.service('never')).state, 'stopped');
  });

  it('SIGTERM while twenty services are being started leaves none of them (R23)', async () => {
    const services = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`s${index}`, STEADY]));
    const workspace = openWorkspace({ services });
    const served = await serving(workspace);
    const up = workspace.begin(['up', '--detach', '--no-wait']);
    await until('the first spawn', () => workspace.eventsNamed('service_spawned').length > 0, { intervalMs: 1 });
    served.child.kill('SIGTERM');
    assert.equal((await served.ended).code, 143);
    await up.ended;
    assert.deepEqual(workspace.marked, []);
    assert.deepEqual(workspace.records, []);
  });

  it('SIGTERM as soon as the lock is there ends a supervisor that is only starting, and releases the lock', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const served = workspace.begin(['serve']);
    await until('the lock', () => workspace.lock !== null, { intervalMs: 1 });
    served.child.kill('SIGTERM');
    assert.equal((await served.ended).code, 143);
    assert.equal(workspace.lock, null);
  });

  it('SIGTERM while an earlier supervisor is succeeded ends the trees that it left as well (R23)', async () => {
    const workspace = openWorkspace({
      services: { web: STEADY, slow: { ...DEAF, onSupervisorLoss: 'stop', stopTimeout: '500ms' } },
    });
    const first = await workspace.up();
    const processes = workspace.processes();
    await workspace.killAll();
    const served = workspace.begin(['serve']);
    await until('the lock', () => workspace.lock?.pid !== first.pid, { intervalMs: 1 });
    served.child.kill('SIGTERM');
    assert.equal((await served.ended).code, 143);
    await untilGone(processes, 0);
    assert.equal(workspace.lock, null);
  });

  it('an unhandled rejection is recorded, leaves the trees to the successor and ends it with exit 1 (R30)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const trap = workspace.write(
      '../trap.mjs',
      "process.on('SIGUSR2', () => void Promise.reject(new Error('planted fault')));",
    );
    const served = workspace.begin(['serve'], { NODE_OPTIONS: `--import ${trap}` });
    await until('the endpoint', async () => (await workspace.status()).supervisor !== null);
    await workspace.up();
    const leader = workspace.leader('web');
    served.child.kill('SIGUSR2');
    const { code } = await served.ended;
    assert.deepEqual([code, isAlive(leader)], [1, true]);
    assert.match(String(workspace.eventsNamed('supervisor_fault')[0]?.message), /planted fault/);
    const own = workspace.events.filter((one) => one.supervisor === served.child.pid);
    assert.equal(own.at(-1)?.event, 'supervisor_fault');
    await workspace.up();
    assert.deepEqual(workspace.leader('web'), leader);
  });

  it('a signal does not spoil the journal: every line is whole', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    signal(supervisor, 'SIGTERM');
    await untilGone([supervisor]);
    const lines = readFileSync(join(workspace.stateDir, 'events.jsonl'), 'utf8').trim().split('\n');
    assert.equal(lines.length, workspace.events.length);
  });
});
