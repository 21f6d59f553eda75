import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeWorkspaces, openWorkspace, STEADY } from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('a supervisor that was killed together with its guardian', () => {
  afterEach(closeWorkspaces);

  for (const words of [['up'], ['up', '--detach']]) {
    it(`is followed by one that \`${words.join(' ')}\` starts, which was waiting (it gave up)`, async () => {
      const late = { command: ['sh', '-c', 'until [ -e go ]; do sleep 0.05; done; echo up; exec sleep 1000'] };
      const workspace = openWorkspace({
        services: { web: STEADY, late: { ...late, ready: { log: 'up', interval: '20ms' } } },
      });
      const up = workspace.begin(words);
      await until('the state', () => existsSync(join(workspace.root, '.coppice/workspace.json')));
      await until('the journal', () => existsSync(join(workspace.stateDir, 'events.jsonl')));
      await until('the service', () => workspace.eventsNamed('service_ready').length === 1);
      const leader = workspace.leader('web');
      await workspace.killAll();
      await until('the next one', () => workspace.eventsNamed('supervisor_started').length === 2);
      workspace.write('go', '');
      await workspace.untilService('late', (one) => one.state === 'ready');
      assert.deepEqual(workspace.leader('web'), leader);
      if (words.length === 1) up.child.kill('SIGINT');
      const { code, stderr } = await up.ended;
      assert.equal(code, words.length === 1 ? 130 : 0, stderr);
    });
  }
});
