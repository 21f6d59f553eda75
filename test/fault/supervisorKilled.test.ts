import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../server/process/identity.ts';
import { misfits, STATUS_SHAPE } from '../support/shape.ts';
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

describe('a supervisor that was killed with its guardian', () => {
  afterEach(closeWorkspaces);

  /** Together with its guardian: what is told here is what a successor finds that somebody starts later. */
  const kill = (workspace: SupervisedWorkspace): Promise<void> => workspace.killAll();

  it('is succeeded by one that has the services under the same pids, with no second copy', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, port: 'auto' }, other: STEADY } });
    await workspace.up();
    const before = (await workspace.status()).services.map(({ name, pid, port, incarnation, readyAt }) => ({
      name,
      pid,
      port,
      incarnation,
      readyAt,
    }));
    await kill(workspace);
    await workspace.up();
    const after = (await workspace.status()).services.map(({ name, pid, port, incarnation, readyAt }) => ({
      name,
      pid,
      port,
      incarnation,
      readyAt,
    }));
    assert.deepEqual(after, before);
    assert.equal(workspace.marked.length, 2);
    assert.equal(workspace.eventsNamed('service_spawned').length, 2);
  });

  for (const [slip, words, code] of [
    ['a configuration that is wrong', [], 78],
    ['a name that is not known', ['nosuch'], 64],
  ] as const) {
    it(`has what it left taken over and not ended by an \`up\` with ${slip}`, async () => {
      const workspace = openWorkspace({ services: { web: STEADY } });
      await workspace.up();
      const web = (await workspace.service('web')).pid;
      await kill(workspace);
      if (words.length === 0) workspace.write('coppice.json', '{');
      const end = await workspace.run('up', '--detach', ...words);
      assert.equal(end.code, code, end.stderr);
      assert.match(end.stderr, /goes on, under supervisor pid \d+/);
      const { pid, state } = await workspace.service('web');
      assert.deepEqual([pid, state], [web, 'ready']);
    });
  }

  it('is told in the journal: a second supervisor_started, and what became of each tree', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await kill(workspace);
    await workspace.up();
    assert.deepEqual(
      workspace.eventsNamed('reconciled').map(({ name, verdict }) => [name, verdict]),
      [['web', 'alive']],
    );
    const sequence = workspace.events.map((one) => one.seq);
    assert.deepEqual(
      sequence,
      sequence.map((_, index) => index + 1),
    );
  });

  it('loses no line of output that was printed while nobody supervised', async () => {
    const workspace = openWorkspace({
      services: {
        web: {
          command: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done'],
          ready: { log: 'line 1', interval: '20ms' },
        },
      },
    });
    await workspace.up();
    const { log } = await workspace.service('web');
    await kill(workspace);
    const lines = (): string[] => readFileSync(log, 'utf8').trim().split('\n');
    const then = lines().length;
    await until('more output', () => lines().length > then + 10);
    await workspace.up();
    await workspace.run('stop', 'web');
    const all = lines();
    assert.deepEqual(
      all,
      all.map((_, index) => `line ${index + 1}`),
    );
  });

  it('leaves an exit that happened meanwhile to be known with its code', async () => {
    const workspace = openWorkspace({
      services: {
        web: {
          command: ['sh', '-c', 'echo up; while [ ! -e go ]; do sleep 0.02; done; exit 23'],
          ready: { log: 'up', interval: '20ms' },
          restart: { policy: 'no' },
        },
      },
    });
    await workspace.up();
    const leader = workspace.leader('web');
    await kill(workspace);
    workspace.write('go', '');
    await untilGone([leader]);
    const served = workspace.begin(['serve']);
    const service = await until('the successor', async () => {
      const status = await workspace.status();
      return status.supervisor !== null && status.services[0];
    });
    const settled = service.lastExit ?? (await workspace.untilService('web', (one) => one.lastExit !== null)).lastExit;
    assert.equal(settled?.code, 23);
    served.child.kill('SIGTERM');
    await served.ended;
  });

  it('with onSupervisorLoss: stop has its services stopped by the successor before that serves', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, onSupervisorLoss: 'stop' }, stays: STEADY } });
    await workspace.up();
    const [web, stays] = [workspace.leader('web'), workspace.leader('stays')];
    await kill(workspace);
    const served = workspace.begin(['serve']);
    const status = await until('the successor', async () => {
      const now = await workspace.status();
      return now.supervisor !== null && now;
    });
    assert.deepEqual([isAlive(web), isAlive(stays)], [false, true]);
    assert.deepEqual(
      status.services.map(({ name, state, pid }) => [name, state, pid]),
      [
        ['web', 'stopped', null],
        ['stays', 'ready', stays.pid],
      ],
    );
    served.child.kill('SIGTERM');
    await served.ended;
  });

  it('can start a service again that onSupervisorLoss: stop had ended', async () => {
    const workspace = openWorkspace({ services: { web: { ...STEADY, onSupervisorLoss: 'stop' } } });
    await workspace.up();
    const first = workspace.leader('web');
    await kill(workspace);
    await workspace.up('web');
    const second = workspace.leader('web');
    assert.deepEqual([isAlive(first), isAlive(second), workspace.marked.length], [false, true, 1]);
  });

  it('reaps what a dead leader left before anything takes its place (R38)', async () => {
    const workspace = openWorkspace({
      services: {
        web: {
          command: ['sh', '-c', 'setsid sleep 1000 & echo $! > escaped; echo up; exec sleep 1000'],
          ready: { log: 'up', interval: '20ms' },
        },
      },
    });
    await workspace.up();
    const escaped = identify(Number(readFileSync(join(workspace.root, 'escaped'), 'utf8')));
    assert.ok(escaped !== null);
    const leader = workspace.leader('web');
    await kill(workspace);
    signal(leader, 'SIGKILL');
    await untilGone([leader]);
    await workspace.run('up', '--detach', '--no-wait');
    await workspace.untilService('web', (one) => one.incarnation === 2 && one.pid !== null);
    assert.equal(isAlive(escaped), false);
    const { lastExit } = await workspace.service('web');
    assert.deepEqual([lastExit?.signal, lastExit?.cause], ['SIGKILL', 'oom_or_external_kill']);
  });

  it('keeps the budgets: crashes that were counted are counted on', async () => {
    const workspace = openWorkspace({
      services: {
        web: {
          command: ['sh', '-c', 'exit 1'],
          restart: {
            policy: 'on-failure',
            backoff: { initial: '10ms', max: '10ms' },
            crashes: { count: 3, window: '5m' },
          },
        },
        stays: STEADY,
      },
    });
    await workspace.run('up', '--detach');
    const failed = await workspace.service('web');
    assert.equal(failed.state, 'failed');
    await kill(workspace);
    await workspace.run('up', '--detach', 'stays');
    const again = await workspace.service('web');
    assert.deepEqual([again.state, again.crashes, again.incarnation], ['failed', failed.crashes, failed.incarnation]);
  });

  it('lets `ps` show what runs on without one, and `down` end it and prove it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const processes = workspace.processes();
    await kill(workspace);
    const status = await workspace.status();
    assert.deepEqual(misfits(status, STATUS_SHAPE), []);
    assert.deepEqual([status.supervisor, status.services[0]?.pid], [null, processes[0]?.pid]);
    const { trees } = await workspace.json<{ trees: { name: string; proof: { survivors: unknown[] } }[] }>('down');
    assert.deepEqual(
      trees.map(({ name, proof }) => [name, proof.survivors.length]),
      [['web', 0]],
    );
    await untilGone(processes, 0);
  });

  it('in the middle of starting twenty services loses none and doubles none', async () => {
    const services = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`s${index}`, STEADY]));
    const workspace = openWorkspace({ services });
    const up = workspace.begin(['up', '--detach', '--no-wait']);
    await until(
      'some spawns',
      () =>
        existsSync(join(workspace.root, '.coppice/workspace.json')) &&
        existsSync(join(workspace.stateDir, 'events.jsonl')) &&
        workspace.eventsNamed('service_spawned').length > 5,
      { intervalMs: 1 },
    );
    await kill(workspace);
    await up.ended;
    await workspace.up();
    const { services: shown } = await workspace.status();
    assert.deepEqual([...new Set(shown.map((one) => one.state))], ['ready']);
    assert.deepEqual(workspace.marked.map((one) => one.pid).sort(), shown.map((one) => one.pid).sort());
  });

  it('three times in a row changes nothing for the services', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const leader = workspace.leader('web');
    for (let round = 0; round < 3; round += 1) {
      await kill(workspace);
      await workspace.up();
    }
    assert.deepEqual(workspace.leader('web'), leader);
  });
});
