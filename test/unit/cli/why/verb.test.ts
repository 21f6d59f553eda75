import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../../../server/cli/command.ts';
import type { Answer } from '../../../../server/cli/why/types.ts';
import { openJournal } from '../../../../server/store/journal.ts';
import { resolveWorkspace } from '../../../../server/store/paths.ts';
import { fakeTerminal } from '../../../support/fakeTerminal.ts';
import { type FakeWorkspace, fakeWorkspace } from '../../../support/fakeWorkspace.ts';
import { removeTemporaryFolders } from '../../../support/temporary.ts';
import { crash, life, UP } from './support.ts';

describe('coppice why', () => {
  after(removeTemporaryFolders);

  async function call(
    workspace: FakeWorkspace,
    ...words: string[]
  ): Promise<{ code: number; out: string; messages: string }> {
    const { terminal, stdout, stderr } = fakeTerminal();
    const code = await runCommand({ words, cwd: workspace.root, terminal, environment: workspace.environment });
    return { code, out: stdout.text, messages: stderr.text };
  }

  function stateDirOf({ root, environment }: FakeWorkspace): string {
    const resolved = resolveWorkspace(root, { exact: true, environment });
    assert.ok(resolved.ok);
    const { stateDir } = resolved.workspace;
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return stateDir;
  }

  it('follows a story across the files of a rotated journal, and says which lines it could not read', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services:\n  web: { command: sleep 1 }\n');
    const journal = openJournal(stateDirOf(workspace), { supervisor: 700, maxBytes: 1500, keep: 9 });
    const lives = [1, 2, 3, 4, 5, 6].flatMap((one) => [...life(0, one).slice(0, 1), ...crash(0, one, one)]);
    for (const [, event, fields] of [UP, ...lives]) journal.append(event, fields);
    journal.append('breaker_open', { name: 'web', reason: 'crashes', text: 'crashed 6 times' });
    journal.close();
    const files = readdirSync(stateDirOf(workspace)).filter((file) => /^events\.\d+\.jsonl$/.test(file));
    assert.ok(files.length > 1, 'it was rotated more than once');
    appendFileSync(join(stateDirOf(workspace), 'events.1.jsonl'), '{"seq":4,"at":17\n');
    const { code, out } = await call(workspace, 'why', 'web', '--json');
    const answer = JSON.parse(out) as Answer;
    assert.equal(code, 0);
    assert.deepEqual(
      answer.chain.map((one) => [one.kind, one.times]),
      [
        ['request', 1],
        ['repeat', 6],
        ['failed', 1],
      ],
    );
    assert.ok(answer.notes.includes('1 line of the journal could not be read and is missing here'));
  });

  it('knows what is configured and has never run, and nothing else', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services:\n  web: { command: sleep 1 }\ntasks:\n  build: { command: make }\n');
    assert.match((await call(workspace, 'why', 'web')).out, /^web is stopped: nobody has asked for it yet\./);
    assert.match(
      (await call(workspace, 'why', 'build')).out,
      /^build was not run yet, as far as the journal goes back\./,
    );
    const unknown = await call(workspace, 'why', 'biuld');
    assert.equal(unknown.code, 64);
    assert.match(unknown.messages, /did you mean build\?\nThere are: web, build\./);
  });

  it('explains with a configuration that is wrong, and says where', async () => {
    const workspace = fakeWorkspace();
    const journal = openJournal(stateDirOf(workspace), { supervisor: 700 });
    for (const [, event, fields] of [UP, ...life(0, 1)]) journal.append(event, fields);
    journal.close();
    workspace.writeConfiguration('services:\n  web: { comand: sleep 1 }\n');
    const { code, out } = await call(workspace, 'why', 'web');
    assert.equal(code, 0);
    assert.match(out, /Note: the configuration cannot be used as it is \(coppice\.yaml:2: .*\)/);
  });

  it('needs exactly one name', async () => {
    assert.equal((await call(fakeWorkspace(), 'why')).code, 64);
    assert.equal((await call(fakeWorkspace(), 'why', 'a', 'b')).code, 64);
  });
});
