import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { bootId, identify } from '../../../server/process/identity.ts';
import { keptConfigurationPath } from '../../../server/store/paths.ts';
import { HEARTBEAT_SHAPE, LOCK_SHAPE, misfits, STATUS_SHAPE } from '../../support/shape.ts';
import {
  closeWorkspaces,
  isAlive,
  listing,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  untilGone,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

describe('a supervisor in its ordinary life', () => {
  let workspace: SupervisedWorkspace;

  before(async () => {
    workspace = openWorkspace({
      services: {
        web: { ...STEADY, port: 'auto' },
        quits: { command: ['sh', '-c', 'exit 3'], restart: { policy: 'no' } },
        off: { ...STEADY, enabled: false },
      },
      tasks: { build: { command: ['true'] } },
    });
    await workspace.run('up', '--detach');
    await workspace.run('up', '--detach', 'build');
  });

  after(closeWorkspaces);

  it('is one, whoever asks: a second `up --detach` joins the first', async () => {
    const first = workspace.supervisor();
    await workspace.run('up', '--detach', 'web');
    assert.deepEqual(workspace.supervisor(), first);
  });

  it('answers `ps --json` with every field of the contract, each of its type', async () => {
    assert.deepEqual(misfits(await workspace.status(), STATUS_SHAPE), []);
  });

  it('says of a service that ended with which code and why', async () => {
    const { lastExit } = await workspace.service('quits');
    assert.deepEqual(
      { code: lastExit?.code, signal: lastExit?.signal, cause: lastExit?.cause },
      {
        code: 3,
        signal: null,
        cause: 'runtime_error',
      },
    );
  });

  it('beats at once, with every field of the contract', () => {
    const heartbeat: unknown = JSON.parse(readFileSync(join(workspace.stateDir, 'heartbeat.json'), 'utf8'));
    assert.deepEqual(misfits(heartbeat, HEARTBEAT_SHAPE), []);
  });

  it('beats under its own pid and start time', () => {
    const { pid, startTime } = JSON.parse(readFileSync(join(workspace.stateDir, 'heartbeat.json'), 'utf8'));
    const supervisor = workspace.supervisor();
    assert.deepEqual({ pid, startTime }, { pid: supervisor.pid, startTime: supervisor.startTime });
  });

  it('has every live tree in registry.json, with leader, group, session, marker, port and paths', async () => {
    const { pid, port, log } = await workspace.service('web');
    const record = await until('web in the whole file', () => {
      const { trees } = JSON.parse(readFileSync(join(workspace.stateDir, 'registry.json'), 'utf8'));
      return trees.length === 1 && trees[0];
    });
    const leader = identify(pid ?? 0);
    assert.deepEqual(
      { ...record.tree, keeper: null, marker: record.tree.marker.split('/').slice(1, 3).join('/') },
      { leader, keeper: null, group: pid, session: pid, marker: 'web/1' },
    );
    assert.deepEqual([record.name, record.ports, record.logPath], ['web', [port], log]);
    assert.ok(record.exitRecordPath.startsWith(workspace.stateDir));
  });

  it('records names of variables and never their values', async () => {
    const secret = 'do-not-write-me-down-4711';
    const other = openWorkspace({ services: { web: { ...STEADY, env: { TOKEN_OF_MINE: secret } } } });
    await other.up();
    await until('registry', () => other.records.length === 1);
    // But in the copy of the configuration itself, which only the user can read.
    const kept = keptConfigurationPath(other.stateDir);
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    const files = readdirSync(other.stateDir, { recursive: true, withFileTypes: true }).filter(
      (one) => one.isFile() && join(one.parentPath, one.name) !== kept,
    );
    const texts = files.map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'));
    assert.equal(
      texts.some((text) => text.includes(secret)),
      false,
    );
    assert.ok(texts.some((text) => text.includes('TOKEN_OF_MINE')));
  });

  it('writes a lock with every field of the contract', () => {
    assert.deepEqual(misfits(workspace.lock, LOCK_SHAPE), []);
  });

  it('is the process that its lock names, on this host and boot', () => {
    const { lock } = workspace;
    const identity = { pid: lock?.pid, startTime: lock?.startTime, bootId: lock?.bootId };
    assert.deepEqual(
      { ...identity, host: lock?.hostname, state: lock?.stateDir },
      {
        ...identify(lock?.pid ?? 0),
        bootId: bootId(),
        host: hostname(),
        state: workspace.stateDir,
      },
    );
  });

  it('keeps in .coppice only what says who is master', () => {
    assert.deepEqual(readdirSync(join(workspace.root, '.coppice')).sort(), [
      '.gitignore',
      'supervisor.lock',
      'workspace.json',
    ]);
    assert.equal(readFileSync(join(workspace.root, '.coppice/.gitignore'), 'utf8').trim(), '*');
  });

  it('changes nothing in the workspace while things start, print, restart and stop', async () => {
    const before = listing(workspace.root);
    await workspace.run('restart', 'web');
    await workspace.run('exec', '--', 'sh', '-c', 'echo much; echo more >&2');
    await workspace.run('stop', 'web');
    await workspace.run('up', '--detach', 'web', 'build');
    assert.deepEqual(listing(workspace.root), before);
  });

  it('keeps its state and its socket in folders that only this user can enter', () => {
    const { lock } = workspace;
    const modes = [workspace.stateDir, dirname(lock?.endpoint ?? '')].map((path) => statSync(path).mode & 0o777);
    assert.deepEqual(modes, [0o700, 0o700]);
  });

  it('does not keep the workspace from being unmounted by standing in it', () => {
    const { pid } = workspace.supervisor();
    assert.notEqual(statSync(`/proc/${pid}/cwd`).ino, statSync(workspace.root).ino);
  });

  it('has a heap that is capped', () => {
    const { pid } = workspace.supervisor();
    assert.ok(readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--max-old-space-size=512'));
  });
});

describe('the end by `down`', () => {
  after(closeWorkspaces);

  it('proves emptiness, ends every process, releases the lock last and closes the journal with supervisor_stopped (R24, R25)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY, other: STEADY } });
    const supervisor = await workspace.up();
    const processes = [supervisor, ...workspace.processes()];
    const result = await workspace.json<{ trees: { name: string; proof: { survivors: []; confirmed: [] } }[] }>('down');
    assert.deepEqual(
      result.trees.map(({ name, proof }) => [name, proof.survivors.length, proof.confirmed.length]).sort(),
      [
        ['other', 0, 1],
        ['web', 0, 1],
      ],
    );
    await untilGone(processes);
    assert.equal(workspace.lock, null);
    assert.equal(workspace.events.at(-1)?.event, 'supervisor_stopped');
    assert.deepEqual(workspace.records, []);
  });

  it('keeps the lock for as long as anything drains (R25)', async () => {
    const workspace = openWorkspace({
      services: {
        slow: {
          command: ['sh', '-c', 'trap "sleep 0.4; exit" TERM; echo up; while :; do sleep 0.05; done'],
          ready: { log: 'up' },
        },
      },
    });
    await workspace.up();
    const [leader] = [workspace.leader('slow')];
    const down = workspace.run('down');
    await until('the drain to begin', () => workspace.eventsNamed('supervisor_stopping').length === 1);
    let unheld = 0;
    await until(
      'end of the service',
      () => {
        if (isAlive(leader) && workspace.lock === null) unheld += 1;
        return !isAlive(leader);
      },
      { intervalMs: 2 },
    );
    await down;
    assert.equal(unheld, 0);
  });

  it('removes the socket', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const endpoint = workspace.lock?.endpoint ?? '';
    assert.ok(existsSync(endpoint));
    await workspace.run('down');
    await untilGone([supervisor]);
    assert.equal(existsSync(endpoint), false);
  });

  it('is harmless with nothing running, and twice', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const ends = [await workspace.run('down'), await workspace.run('down')];
    assert.deepEqual(
      ends.map((end) => end.code),
      [0, 0],
    );
  });

  it('is known to both of two callers at the same time', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const ends = await Promise.all([workspace.run('down'), workspace.run('down')]);
    assert.deepEqual(
      ends.map((end) => end.code),
      [0, 0],
      ends.map((end) => end.stderr).join(''),
    );
  });

  it('lets `ps --json` answer in the same shape without a supervisor, which is null then', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const status = await workspace.status();
    assert.deepEqual(misfits(status, STATUS_SHAPE), []);
    assert.deepEqual([status.supervisor, status.services[0]?.state, status.services[0]?.pid], [null, 'stopped', null]);
  });

  it('leaves `ps` without a trace in a workspace that never had a supervisor', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const before = listing(dirname(workspace.root));
    assert.equal((await workspace.status()).supervisor, null);
    assert.deepEqual(listing(dirname(workspace.root)), before);
  });
});
