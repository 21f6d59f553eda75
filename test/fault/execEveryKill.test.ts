import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFailpointWorkspace } from '../support/failpoints.ts';
import { closeWorkspaces } from '../support/supervised.ts';

/** Far more than there are; each file's loop ends with the first that is not met. */
const MOST = 30;

describe('a command of `coppice exec` whose supervisor is killed at any write', function () {
  this.timeout(120_000);
  afterEach(closeWorkspaces);

  for (const [rule, least] of [
    ['execs/*.json:open=die', 2],
    ['execs/*.json:rename=die', 2],
    ['registry.changes.jsonl:write=die', 2],
    ['events.jsonl:write=die', 3],
  ] as const) {
    it(`runs once, and its caller has its output and its exit code: ${rule}`, async () => {
      let kills = 0;
      for (let time = 1; time <= MOST; time += 1) {
        const killed = await execThrough(`${rule}@${time}`);
        await closeWorkspaces();
        if (!killed) break;
        kills = time;
      }
      assert.ok(kills >= least && kills < MOST, `${kills} kills`);
    });
  }
});

/** Whether the rule was met before the command's caller had its answer. */
async function execThrough(rule: string): Promise<boolean> {
  const workspace = openFailpointWorkspace({ tasks: { it: { command: 'true' } } });
  await workspace.up();
  workspace.failpoints(rule);
  const end = await workspace.run('exec', '--', 'sh', '-c', 'echo x >> starts; echo said; exit 7');
  const killed = workspace.hits.length > 0;
  const file = join(workspace.root, 'starts');
  const starts = existsSync(file) ? readFileSync(file, 'utf8') : '';
  assert.deepEqual([starts, end.code, end.stdout], ['x\n', 7, 'said\n'], `${rule}: ${end.stderr}`);
  const told = workspace.events.map((one) => one.event).filter((one) => one.startsWith('exec_'));
  assert.deepEqual(told, ['exec_started', 'exec_ended'], rule);
  return killed;
}
