import assert from 'node:assert/strict';
import { readJournal } from '../../server/store/journal.ts';
import { openFailpointWorkspace } from '../support/failpoints.ts';
import { closeWorkspaces, isAlive, STEADY, untilGone } from '../support/supervised.ts';
import { until } from '../support/until.ts';

describe('a supervisor whose writing is made to fail', () => {
  afterEach(closeWorkspaces);

  it('lives through a registry that cannot be written and says so with its code', async () => {
    const workspace = openFailpointWorkspace({ services: { web: STEADY } });
    workspace.failpoints('registry.json:rename=fail:ENOSPC');
    const supervisor = await workspace.up();
    await until('the failure', () => workspace.hits.length > 0);
    await until('the journal', () => workspace.eventsNamed('health_warn').length > 0);
    assert.match(String(workspace.eventsNamed('health_warn')[0]?.detail), /ENOSPC/);
    assert.equal(isAlive(supervisor), true);
  });

  it('killed before the registry is in place is succeeded by one that has the tree on record', async () => {
    const workspace = openFailpointWorkspace({ services: { web: STEADY } });
    workspace.failpoints('registry.json:rename=die');
    await workspace.run('up', '--detach');
    await until('the kill', () => workspace.hits.length === 1);
    const [before] = workspace.records;
    await workspace.up();
    assert.deepEqual(workspace.leader('web'), before?.tree.leader);
    assert.equal(workspace.marked.length, 1);
  });

  it('killed in the middle of a record of the journal is succeeded by one whose first record is whole', async () => {
    const workspace = openFailpointWorkspace({ services: { web: STEADY } });
    const first = await workspace.up();
    workspace.failpoints('events.jsonl:write=torn');
    await workspace.run('stop', 'web');
    await untilGone([first]);
    await workspace.up();
    const { events, skipped } = readJournal(workspace.stateDir);
    assert.deepEqual([skipped, events.map((one) => one.seq)], [1, events.map((_, index) => index + 1)]);
  });
});
