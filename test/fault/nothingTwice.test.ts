import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FailpointWorkspace, openFailpointWorkspace } from '../support/failpoints.ts';
import { succeed } from '../support/successor.ts';
import { closeWorkspaces, DEAF, openWorkspace, STEADY } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** As `STEADY`, with a line in `starts` for each start. */
function counted(name: string, env: Readonly<Record<string, string>> = {}): unknown {
  return { ...STEADY, command: ['sh', '-c', `echo ${name} >> starts; echo up; exec sleep 1000`], env };
}

function starts(workspace: FailpointWorkspace): string[] {
  return readFileSync(join(workspace.root, 'starts'), 'utf8').trim().split('\n').sort();
}

/** Far more writes than there are; each loop ends with the first that is not met. */
const MOST = 60;

describe('what was asked for once, with a supervisor that is killed at any write of it', function () {
  this.timeout(180_000);
  afterEach(closeWorkspaces);

  it('restarts a service once, and takes no end that was asked for as a crash', async () => {
    await atEveryWrite('registry.changes.jsonl', { services: { web: counted('web') } }, async (workspace, rule) => {
      const end = await workspace.run('restart', 'web');
      assert.equal(end.code, 0, `${rule}: ${end.stderr}`);
      const web = await workspace.untilService('web', (one) => one.state === 'ready');
      const exits = workspace.eventsNamed('service_exited').length;
      assert.deepEqual([starts(workspace), web.crashes, web.restarts, exits], [['web', 'web'], 0, 0, 1], rule);
    });
  });

  it('runs tasks once, although the client asks a successor that has ended them already for the same', async () => {
    const tasks = {
      first: { command: ['sh', '-c', 'echo first >> starts'] },
      second: { command: ['sh', '-c', 'echo second >> starts'], dependsOn: ['first'] },
    };
    await atEveryWrite('run.changes.jsonl', { tasks }, async (workspace, rule) => {
      const end = await workspace.run('up', '--detach', 'second');
      assert.equal(end.code, 0, `${rule}: ${end.stderr}`);
      await until('the end of the run', async () =>
        (await workspace.status()).runs.every((one) => one.state === 'succeeded'),
      );
      assert.deepEqual(starts(workspace), ['first', 'second'], rule);
    });
  });

  for (const [file, stride] of [
    ['registry.changes.jsonl', 4],
    ['configuration.json', 1],
  ] as const)
    it(`applies a changed configuration once: ${file}`, async () => {
      const before = { services: { a: counted('a'), b: counted('b'), gone: STEADY } };
      await atEveryWrite(
        file,
        before,
        async (workspace, rule) => {
          const [a, b] = [counted('a', { NEW: '1' }), counted('b', { NEW: '1' })];
          workspace.configure({ services: { a, b, added: counted('added') } });
          const end = await workspace.run('reload');
          assert.equal(end.code, 0, `${rule}: ${end.stderr}`);
          for (const name of ['a', 'b', 'added']) await workspace.untilService(name, (one) => one.state === 'ready');
          await until('the whole of it', () => workspace.eventsNamed('configuration_applied').length > 0);
          const { services } = await workspace.status();
          const crashes = services.reduce((sum, one) => sum + one.crashes, 0);
          assert.deepEqual([starts(workspace), crashes], [['a', 'a', 'added', 'b', 'b'], 0], rule);
          assert.equal(services.length, 3, rule);
        },
        stride,
      );
    });

  it('restarts in order once, although the client asks the successor that goes on with it for the same again', async () => {
    const workspace = openWorkspace({
      services: {
        db: STEADY,
        web: { ...DEAF, stopTimeout: '2s', dependsOn: ['db'] },
        front: { ...STEADY, dependsOn: ['web'] },
      },
    });
    await workspace.up();
    const restart = workspace.begin(['restart', 'db', 'web', 'front']);
    await workspace.untilService('web', (one) => one.state === 'stopping');
    await succeed(workspace);
    const end = await restart.ended;
    assert.equal(end.code, 0, end.stderr);
    for (const name of ['db', 'web', 'front']) await workspace.untilService(name, (one) => one.state === 'ready');
    const told = workspace.events.filter(({ event }) => event === 'service_spawned').map(({ name }) => name);
    assert.deepEqual(told.slice(3), ['db', 'web', 'front']);
  });
});

async function atEveryWrite(
  file: string,
  config: unknown,
  act: (workspace: FailpointWorkspace, rule: string) => Promise<void>,
  stride = 1,
): Promise<void> {
  let kills = 0;
  for (let time = 1; time <= MOST; time += stride) {
    const workspace = openFailpointWorkspace(config);
    await workspace.up();
    const rule = `${file}:write=die@${time}`;
    workspace.failpoints(rule);
    await act(workspace, rule);
    const killed = workspace.hits.length > 0;
    await closeWorkspaces();
    if (!killed) break;
    kills = time;
  }
  assert.ok(kills >= 1 && kills < MOST, `${kills} kills`);
}
