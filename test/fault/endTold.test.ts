import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openFailpointWorkspace } from '../support/failpoints.ts';
import { closeWorkspaces } from '../support/supervised.ts';
import { until } from '../support/until.ts';
import { PROJECT } from '../support/workspace.ts';

/** Ends once it is told to, with a code of its own. */
const ENDS = {
  command: ['sh', '-c', 'echo up; until [ -e go ]; do sleep 0.02; done; exit 3'],
  ready: { log: 'up', interval: '20ms' },
  restart: { policy: 'on-failure', backoff: { initial: '50ms', max: '50ms' } },
};

describe('an end that is accounted for when its supervisor is killed', () => {
  afterEach(closeWorkspaces);

  // The first change after the exit is the accounting itself, the next ones prove the tree empty and forget it.
  for (const change of [1, 2, 3]) {
    it(`is told once, and counted once, with the kill at change ${change} of the registry (two ends were told)`, async () => {
      const workspace = openFailpointWorkspace({ services: { web: ENDS } });
      await workspace.up();
      workspace.failpoints(`registry.changes.jsonl:write=die@${change}`);
      workspace.write('go', '');
      await until('the kill', () => workspace.hits.length > 0);
      workspace.failpoints('');
      await workspace.run('up', '--detach', '--no-wait');
      await workspace.untilService('web', (one) => one.incarnation > 1);
      const ends = workspace.eventsNamed('service_exited').filter((one) => one.incarnation === 1);
      assert.deepEqual(
        ends.map(({ code, crashes }) => [code, crashes]),
        [[3, 1]],
      );
    });
  }
});

describe('a start that nobody was told of', () => {
  afterEach(closeWorkspaces);

  it('and that runs is gone on with under the same pid, with its port, until it is ready', async () => {
    const server = ['node', join(PROJECT, 'test/support/programs/listen.mjs'), '127.0.0.1', '${port}'];
    const workspace = openFailpointWorkspace({
      services: { web: { command: server, port: 'auto', ready: { tcp: '${port}' } } },
    });
    workspace.failpoints('registry.changes.jsonl:write=torn@2');
    const first = workspace.begin(['up', '--detach', '--no-wait']);
    await until('the kill', () => workspace.hits.length > 0);
    await until('the launch', () => workspace.marked.length === 1);
    const [launched] = workspace.marked;
    await first.ended;
    await workspace.run('up', '--detach');
    const { pid, state, incarnation, port } = await workspace.service('web');
    assert.deepEqual([pid, state, incarnation, typeof port], [launched?.pid, 'ready', 1, 'number']);
    assert.deepEqual(
      workspace.eventsNamed('service_spawned').map((one) => [one.pid, one.incarnation]),
      [[launched?.pid, 1]],
    );
  });

  it('and that ended before there was a successor is accounted for by its exit record (its end was never known)', async () => {
    const workspace = openFailpointWorkspace({ services: { web: { ...ENDS, command: ['sh', '-c', 'exit 3'] } } });
    workspace.failpoints('registry.changes.jsonl:write=torn@2');
    const first = workspace.begin(['up', '--detach', '--no-wait']);
    await until('the kill', () => workspace.hits.length > 0);
    await first.ended;
    await workspace.run('up', '--detach', '--no-wait');
    await workspace.untilService('web', (one) => one.incarnation > 1);
    const ends = workspace.eventsNamed('service_exited').filter((one) => one.incarnation === 1);
    assert.deepEqual(
      ends.map(({ code, crashes }) => [code, crashes]),
      [[3, 1]],
    );
    assert.equal(workspace.eventsNamed('service_spawned').filter((one) => one.incarnation === 1).length, 1);
  });

  it('is told by the successor when its supervisor was killed between launch and word (it was never in the journal)', async () => {
    const workspace = openFailpointWorkspace({ services: { web: { ...ENDS, ready: { log: 'never' } } } });
    workspace.failpoints('registry.changes.jsonl:write=die@3');
    const first = workspace.begin(['up', '--detach', '--no-wait']);
    await until('the kill', () => workspace.hits.length > 0);
    await first.ended;
    workspace.failpoints('');
    await workspace.run('up', '--detach', '--no-wait');
    const { pid } = await workspace.service('web');
    assert.deepEqual(
      workspace.eventsNamed('service_spawned').map((one) => [one.pid, one.incarnation]),
      [[pid, 1]],
    );
  });
});
