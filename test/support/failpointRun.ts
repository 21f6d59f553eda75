/** Brings a supervisor to the write of a durable file that is made to fail, or to kill it, and looks at what is left. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailpointStep } from '../../server/process/failpoint.ts';
import { readJournal } from '../../server/store/journal.ts';
import type { JournalEvent, TreeRecord } from '../../server/store/types.ts';
import type { Stage } from './durableFiles.ts';
import type { FailpointWorkspace } from './failpoints.ts';
import { STEADY } from './supervised.ts';
import { until } from './until.ts';

const BUILD = { command: ['sh', '-c', 'exit 0'] };

function configuration(note: string): unknown {
  const service = { ...STEADY, env: { NOTE: note } };
  return { services: { web: STEADY, other: STEADY, changed: service }, tasks: { build: BUILD } };
}

/** Brings a new workspace to where `stage` begins. */
export async function before(workspace: FailpointWorkspace, stage: Stage): Promise<void> {
  workspace.configure(configuration('first'));
  if (stage === 'first') return;
  await workspace.up();
  await until('the whole registry', () => readdirSync(workspace.stateDir).includes('registry.json'));
  if (stage === 'takeover') await workspace.killAll();
}

/** Has every file of the stage written. What a command makes of it is for the caller. */
export async function enter(stage: Stage, workspace: FailpointWorkspace): Promise<string> {
  switch (stage) {
    case 'first':
    case 'takeover':
      return words(await workspace.run('up', '--detach'));
    case 'work':
      workspace.configure(configuration('second'));
      return (
        await Promise.all(
          [['restart', 'web'], ['up', '--detach', 'build'], ['exec', '--', 'true'], ['reload']].map((verb) =>
            workspace.run(...verb),
          ),
        )
      )
        .map(words)
        .join('');
    case 'end':
      return words(await workspace.run('down'));
    default:
      return stage satisfies never;
  }
}

export function ruleOf(file: string, step: FailpointStep, action: string): string {
  return `${file}:${step}=${action}`;
}

export function leadersOf(workspace: FailpointWorkspace): Map<string, TreeRecord['tree']['leader']> {
  return new Map(workspace.records.map((record) => [record.name, record.tree.leader]));
}

export function journalOf(workspace: FailpointWorkspace): readonly JournalEvent[] {
  return readJournal(workspace.stateDir).events;
}

/** One process a service, every file readable, no write of a dead process left, every number of the journal there once. */
export async function assertSound(workspace: FailpointWorkspace): Promise<void> {
  await until('the workspace file', () => existsSync(join(workspace.root, '.coppice/workspace.json')));
  await until('every service', async () =>
    (await workspace.status()).services.every((one) => one.state === 'ready' && one.pid !== null),
  );
  const { services } = await workspace.status();
  assert.deepEqual(
    workspace.marked.map((one) => one.pid).sort(),
    services.map((one) => one.pid).sort(),
    'processes of the workspace, and those that are shown',
  );
  const { events } = readJournal(workspace.stateDir);
  assert.deepEqual(
    events.map((one) => one.seq),
    events.map((_, index) => (events[0]?.seq ?? 0) + index),
  );
  const folders = [join(workspace.root, '.coppice'), workspace.stateDir];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))),
  );
  const supervisor = workspace.supervisor();
  assert.deepEqual(
    files.filter((file) => file.endsWith('.tmp') && !file.includes(`.${supervisor.pid}-`)),
    [],
  );
  for (const file of files.filter((one) => /(?:\.json|\/supervisor\.lock)$/.test(one)))
    assert.doesNotThrow(() => JSON.parse(readFileSync(file, 'utf8')), file);
}

function words({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `${stdout}${stderr}`;
}
