import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../server/api/client.ts';
import { runsFolder } from '../../server/store/paths.ts';
import type { JournalEvent } from '../../server/store/types.ts';
import { type FailpointWorkspace, openFailpointWorkspace } from '../support/failpoints.ts';
import { closeWorkspaces } from '../support/supervised.ts';
import { until } from '../support/until.ts';

/** Succeeds at its second attempt. */
const SECOND = 'echo second >> starts; [ $(grep -c second starts) -ge 2 ]';
const CONFIG = {
  tasks: {
    first: { command: ['sh', '-c', 'echo first >> starts'] },
    second: { command: ['sh', '-c', SECOND], retries: 1, dependsOn: ['first'] },
  },
};
const TOLD = [
  'run_started',
  'task_started first',
  'task_finished first succeeded',
  'task_started second',
  'task_retried second',
  'task_finished second succeeded',
  'run_finished succeeded',
];
/** Far more than there are; each file's loop ends with the first that is not met. */
const MOST = 60;

describe('a run whose supervisor is killed at any write', function () {
  this.timeout(180_000);
  afterEach(closeWorkspaces);

  for (const rule of [
    'run.json:rename=die',
    'run.changes.jsonl:*=die',
    'run.changes.jsonl:write=torn',
    'events.jsonl:write=die',
    'events.jsonl:write=torn',
    'registry.changes.jsonl:write=die',
  ]) {
    it(`starts every attempt once and tells everything once: ${rule}`, async () => {
      let kills = 0;
      for (let time = 1; time <= MOST; time += 1) {
        const killed = await runThrough(`${rule}@${time}`);
        await closeWorkspaces();
        if (!killed) break;
        kills = time;
      }
      assert.ok(kills >= 2 && kills < MOST, `${kills} kills`);
    });
  }
});

/** Whether the rule was met before the run had ended. */
async function runThrough(rule: string): Promise<boolean> {
  const workspace = openFailpointWorkspace(CONFIG);
  const first = await workspace.up();
  workspace.failpoints(rule);
  await ask(workspace);
  await until(
    `the end of the run, or of its supervisor, at ${rule}`,
    () => isClosed(workspace) || workspace.hits.length > 0,
  );
  const killed = workspace.hits.length > 0;
  workspace.failpoints();
  if (killed) {
    await workspace.successorOf(first, 20_000);
    // Killed before the run was on record: nobody was told of it, and so nothing of it was begun.
    if (!hasRun(workspace)) await until('an answer', () => ask(workspace));
  }
  await until(`the end of the run after ${rule}`, () => isOver(workspace));
  const starts = readFileSync(join(workspace.root, 'starts'), 'utf8').trim().split('\n');
  assert.deepEqual([starts, told(workspace)], [['first', 'second', 'second'], TOLD], rule);
  return killed;
}

/** Asks for the run by a client that does not repeat itself: asked again, it would be another run. */
async function ask(workspace: FailpointWorkspace): Promise<boolean> {
  const hello = { kind: 'other', pid: process.pid, version: 'test', session: null } as const;
  const connected = await connect(workspace.lock?.endpoint ?? '', hello);
  if (!connected.ok) return false;
  const answer = await connected.client.request('up', { names: ['second'] });
  connected.client.close();
  return answer.ok;
}

function isOver(workspace: FailpointWorkspace): boolean {
  return workspace.eventsNamed('run_finished').length > 0;
}

/** The last write of all: that the end stands in the journal. A test that goes on before it misses the kill at it. */
function isClosed(workspace: FailpointWorkspace): boolean {
  const folder = runsFolder(workspace.stateDir);
  const files = readdirSync(folder).map((name) => join(folder, name, 'run.json'));
  const closed = files.filter((file) => existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).closed === true);
  return isOver(workspace) && closed.length > 0;
}

function hasRun(workspace: FailpointWorkspace): boolean {
  const folder = runsFolder(workspace.stateDir);
  return readdirSync(folder).some((name) => existsSync(join(folder, name, 'run.json')));
}

function told(workspace: FailpointWorkspace): string[] {
  const words = ({ event, name, state }: JournalEvent): string => [event, name, state].filter(Boolean).join(' ');
  return workspace.events.filter((one) => /^(?:run|task)_/.test(one.event)).map(words);
}
