import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ResponseError } from 'vscode-jsonrpc/node';
import { ErrorCode, type NameOutcome, PROTOCOL_VERSION } from '../../../server/api/protocol.ts';
import { runCommand } from '../../../server/cli/command.ts';
import type { EmptyProof } from '../../../server/process/types.ts';
import { writeKeptConfiguration } from '../../../server/store/keptConfiguration.ts';
import { resolveWorkspace } from '../../../server/store/paths.ts';
import type { FakeHandlers, FakeSupervisor } from '../../support/fakeSupervisor.ts';
import { fakeTerminal } from '../../support/fakeTerminal.ts';
import { type FakeWorkspace, fakeWorkspace } from '../../support/fakeWorkspace.ts';
import { serviceStatus, statusResult } from '../../support/serviceStatus.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const PROOF: EmptyProof = { confirmed: [], survivors: [], emptyScans: 2, killed: false, durationMs: 5 };
const SURVIVOR = {
  identity: { pid: 7, startTime: '1', bootId: 'b' },
  evidence: 'group',
  name: 'stuck',
  reason: 'in uninterruptible sleep',
} as const;

describe('a verb', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  after(removeTemporaryFolders);

  async function call(
    workspace: FakeWorkspace,
    line: string,
  ): Promise<{ code: number; out: string; messages: string }> {
    const { terminal, stdout, stderr } = fakeTerminal();
    const words = line === '' ? [] : line.split(' ');
    const code = await runCommand({ words, cwd: workspace.root, terminal, environment: workspace.environment });
    return { code, out: stdout.text, messages: stderr.text };
  }

  async function supervised(handlers: FakeHandlers): Promise<{ workspace: FakeWorkspace; fake: FakeSupervisor }> {
    const workspace = fakeWorkspace();
    const fake = await workspace.supervise({ status: () => statusResult([serviceStatus('web')]), ...handlers });
    closing.push(() => fake.close());
    return { workspace, fake };
  }

  const VERBS = 'up serve ps start stop restart reset reload logs wait exec reap events why init down doctor'.split(
    ' ',
  );
  for (const verb of VERBS) {
    it(`${verb} explains itself, with an example`, async () => {
      const { code, out } = await call(fakeWorkspace(), `${verb} --help`);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^Usage: coppice ${verb}`));
      assert.match(out, /Examples?\n {2}coppice /);
      assert.match(out, /--json/);
    });
  }

  describe('where the configuration is wrong', () => {
    const wrong = (errors: number): FakeWorkspace => {
      const workspace = fakeWorkspace();
      const services = Object.fromEntries(Array.from({ length: errors }, (_, index) => [`s${index}`, null]));
      writeFileSync(join(workspace.root, 'coppice.json'), JSON.stringify({ services }));
      return workspace;
    };

    it('shows twenty of its errors, and how many there are besides', async () => {
      const { code, messages } = await call(wrong(80), 'up');
      assert.equal(code, 78);
      assert.equal(messages.match(/: error: /g)?.length, 20);
      assert.match(messages, /^\.\.\. and 60 more\n.*has 80 errors/m);
    });

    it('ps does not say that there is nothing to run', async () => {
      assert.match(
        (await call(wrong(2), 'ps')).messages,
        /the configuration is wrong: .*coppice\.json:1: .* \(and 1 more\)/,
      );
    });

    it('why does not say that nothing is configured', async () => {
      assert.match(
        (await call(wrong(1), 'why web')).messages,
        /The configuration cannot be used as it is \(coppice\.json:1/,
      );
    });

    it('what was in force before is told of', async () => {
      const workspace = wrong(1);
      const resolved = resolveWorkspace(workspace.root, { exact: true, environment: workspace.environment });
      assert.ok(resolved.ok);
      const { stateDir } = resolved.workspace;
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ services: { web: { command: ['x'] } } });
      writeKeptConfiguration(stateDir, { file: join(workspace.root, 'coppice.json'), text, unfinished: null });
      assert.match((await call(workspace, 'ps')).out, /^web +○ stopped/m);
      assert.doesNotMatch((await call(workspace, 'why web')).out, /not in the configuration any more/);
    });
  });

  it('that is unknown is wrong usage, with the nearest one', async () => {
    const { code, messages } = await call(fakeWorkspace(), 'statr');
    assert.equal(code, 64);
    assert.match(messages, /unknown verb "statr"; did you mean `coppice start`\?/);
  });

  it('that lacks a name is wrong usage', async () => {
    assert.equal((await call(fakeWorkspace(), 'stop')).code, 64);
  });

  it('ps prints exactly what the supervisor answered as JSON', async () => {
    const status = statusResult([serviceStatus('web', { state: 'ready', pid: 1 })]);
    const { workspace } = await supervised({ status: () => status });
    const { code, out } = await call(workspace, 'ps --json');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), status);
  });

  it('ps without a supervisor lists the configuration as stopped, and exits 0', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration(
      'services:\n  web: { command: sleep 1 }\n  db: { command: sleep 1, enabled: false }\n',
    );
    const { code, out } = await call(workspace, 'ps --json');
    assert.equal(code, 0);
    const status = JSON.parse(out);
    assert.equal(status.supervisor, null);
    assert.deepEqual(
      status.services.map((one: { name: string; state: string }) => [one.name, one.state]),
      [
        ['web', 'stopped'],
        ['db', 'stopped'],
      ],
    );
    assert.deepEqual(status.runs, []);
  });

  it('takes a lock whose holder has died for no supervisor', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    workspace.writeLock({ startTime: '1' });
    const { code, out } = await call(workspace, 'ps');
    assert.equal(code, 0);
    assert.match(out, /No supervisor runs here/);
  });

  it('sends nothing to an endpoint in a folder that others can write', async () => {
    const { workspace, fake } = await supervised({});
    workspace.writeLock({ endpoint: '/tmp/coppice-not-private.sock' });
    const { code, messages } = await call(workspace, 'ps');
    assert.equal(code, 2);
    assert.match(messages, /endpoint that is not safe/);
    assert.deepEqual(fake.received, []);
  });

  it('waits for a supervisor that holds the lock and does not listen yet', async () => {
    const workspace = fakeWorkspace();
    workspace.writeLock();
    const pending = call(workspace, 'ps --json');
    const fake = await workspace.supervise({ status: () => statusResult([]) });
    closing.push(() => fake.close());
    assert.equal((await pending).code, 0);
  });

  it('names the supervisor that refuses', async () => {
    const { workspace } = await supervised({
      status: () => {
        throw new ResponseError(ErrorCode.shuttingDown, 'shutting down');
      },
    });
    const { code, messages } = await call(workspace, 'ps');
    assert.equal(code, 1);
    assert.match(messages, new RegExp(`supervisor \\(pid ${process.pid}\\) is shutting down`));
  });

  it('start on a failed service says that it needs reset, and exits 1', async () => {
    const outcome: NameOutcome = {
      name: 'web',
      ok: false,
      reason: 'failed',
      message: 'web has failed and needs `coppice reset web`',
      proof: null,
    };
    const { workspace } = await supervised({ start: () => ({ outcomes: [outcome] }) });
    const { code, messages } = await call(workspace, 'start web');
    assert.equal(code, 1);
    assert.match(messages, /needs `coppice reset web`/);
  });

  it('stop on an unknown name is wrong usage, with the nearest one', async () => {
    const outcome: NameOutcome = {
      name: 'wbe',
      ok: false,
      reason: 'unknown_name',
      message: 'there is no service or task named wbe',
      proof: null,
    };
    const { workspace } = await supervised({ stop: () => ({ outcomes: [outcome] }) });
    const { code, messages } = await call(workspace, 'stop wbe');
    assert.equal(code, 64);
    assert.match(messages, /did you mean web\?/);
  });

  it('stop prints the proof', async () => {
    const outcome: NameOutcome = { name: 'web', ok: true, reason: 'stopped', message: 'web is stopped', proof: PROOF };
    const { workspace } = await supervised({ stop: () => ({ outcomes: [outcome] }) });
    const { code, out } = await call(workspace, 'stop web');
    assert.equal(code, 0);
    assert.match(out, /Nothing is left: 1 tree, 0 processes confirmed gone\./);
  });

  it('stop without a supervisor finds nothing running', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    assert.equal((await call(workspace, 'stop web')).code, 0);
    assert.equal((await call(workspace, 'stop wbe')).code, 64);
  });

  for (const [outcome, expected] of [
    ['reached', 0],
    ['failed', 1],
    ['timeout', 1],
    ['unknown_name', 64],
  ] as const) {
    it(`wait exits ${expected} on "${outcome}"`, async () => {
      const { workspace, fake } = await supervised({ wait: () => ({ outcome, message: outcome, service: null }) });
      assert.equal((await call(workspace, 'wait web --timeout 2s')).code, expected);
      assert.deepEqual(fake.received[1], { name: 'wait', params: { name: 'web', for: 'ready', timeoutMs: 2000 } });
    });
  }

  it('wait refuses a timeout without a unit', async () => {
    const { code, messages } = await call(fakeWorkspace(), 'wait web --timeout 5');
    assert.equal(code, 64);
    assert.match(messages, /the unit is missing/);
  });

  it('down exits 1 and lists what survived', async () => {
    const proof = { ...PROOF, survivors: [SURVIVOR] };
    const { workspace } = await supervised({ down: () => ({ trees: [{ name: 'web', proof }] }) });
    const { code, out } = await call(workspace, 'down');
    assert.equal(code, 1);
    assert.match(out, /still there: pid 7 \(stuck\), started 1: in uninterruptible sleep/);
  });

  it('down with nothing running exits 0', async () => {
    const { code, out } = await call(fakeWorkspace(), 'down');
    assert.equal(code, 0);
    assert.match(out, /Nothing is left/);
  });

  it('reload exits 78 when the configuration is wrong, with file, line and column', async () => {
    const diagnostic = {
      severity: 'error',
      code: 'unknown-key',
      file: 'coppice.yaml',
      line: 3,
      column: 5,
      offset: 20,
      length: 3,
      path: 'services.web',
      message: 'unknown key',
      suggestion: 'port',
      sourceLine: null,
    } as const;
    const { workspace } = await supervised({
      reload: () => ({ ok: false, diagnostics: [diagnostic], added: [], removed: [], changed: [] }),
    });
    const { code, messages } = await call(workspace, 'reload');
    assert.equal(code, 78);
    assert.match(messages, /coppice\.yaml:3:5: error: unknown key \(did you mean `port`\?\)/);
  });

  it('up refuses a wrong configuration before anything is started', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services:\n  web:\n    comand: sleep 1\n');
    const { code, messages } = await call(workspace, 'up');
    assert.equal(code, 78);
    assert.match(messages, /coppice\.yaml:3:5: error: .*comand/);
  });

  it('up without a configuration points to init', async () => {
    const { code, messages } = await call(fakeWorkspace(), 'up');
    assert.equal(code, 78);
    assert.match(messages, /`coppice init`/);
  });

  it('up refuses an unknown name before anything is started', async () => {
    const workspace = fakeWorkspace();
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    const { code, messages } = await call(workspace, 'up wbe');
    assert.equal(code, 64);
    assert.match(messages, /did you mean web\?/);
  });

  it('up --detach returns when all are ready', async () => {
    let state: 'starting' | 'ready' = 'starting';
    const status = () => statusResult([serviceStatus('web', { state })]);
    const { workspace, fake } = await supervised({
      status,
      subscribe: status,
      up: () => {
        setImmediate(() => {
          state = 'ready';
          void fake.changed({ services: status().services, removed: [], runs: [] });
        });
        return { outcomes: [{ name: 'web', ok: true, reason: 'started', message: '', proof: null }] };
      },
    });
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    const { code, out } = await call(workspace, 'up --detach');
    assert.equal(code, 0);
    assert.match(out, /web +● ready/);
  });

  it('up --detach exits 1 when one fails, with the reason', async () => {
    const status = () => statusResult([serviceStatus('web', { state: 'failed', failure: 'web crashed 8 times' })]);
    const { workspace } = await supervised({
      status,
      subscribe: status,
      up: () => ({ outcomes: [{ name: 'web', ok: true, reason: 'started', message: '', proof: null }] }),
    });
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    const { code, messages } = await call(workspace, 'up --detach');
    assert.equal(code, 1);
    assert.match(messages, /web crashed 8 times/);
  });

  it('up --detach does not wait longer than --timeout', async () => {
    const status = () => statusResult([serviceStatus('web', { state: 'starting' })]);
    const { workspace } = await supervised({
      status,
      subscribe: status,
      up: () => ({ outcomes: [{ name: 'web', ok: true, reason: 'started', message: '', proof: null }] }),
    });
    workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
    const { code, messages } = await call(workspace, 'up --detach --timeout 50ms');
    assert.equal(code, 1);
    assert.match(messages, /not ready within 50ms/);
  });

  for (const [what, takenBy, code, words] of [
    ['has lost the workspace to another', 'another', 4, /has lost the workspace; supervisor pid \d+ on .* elsewhere/],
    ['was taken down', null, 0, /taken down by another client/],
  ] as const) {
    it(`up in the foreground exits ${code} when the supervisor ${what}`, async () => {
      const status = () => statusResult([serviceStatus('web', { state: 'ready', pid: 1 })]);
      const { workspace, fake } = await supervised({
        status,
        subscribe: status,
        up: () => ({ outcomes: [{ name: 'web', ok: true, reason: 'started', message: '', proof: null }] }),
      });
      workspace.writeConfiguration('services: { web: { command: sleep 1 } }\n');
      const { terminal, stderr } = fakeTerminal();
      const environment = workspace.environment;
      const ended = runCommand({ words: ['up'], cwd: workspace.root, terminal, environment });
      await until('the view', () => stderr.text.includes('Ctrl-C stops everything'));
      if (takenBy === null) rmSync(join(workspace.root, '.coppice'), { recursive: true });
      await fake.close();
      if (takenBy !== null) {
        const place = { id: 'other', root: '/w', stateDir: '/other' };
        const other = await workspace.supervise({
          hello: () => ({ protocol: PROTOCOL_VERSION, version: '0.0.0', pid: process.pid, workspace: place }),
        });
        closing.push(() => other.close());
      }
      const end = { code: await ended, messages: stderr.text };
      assert.equal(end.code, code, end.messages);
      assert.match(end.messages, words);
    });
  }

  it('init writes a configuration once', async () => {
    const workspace = fakeWorkspace();
    assert.equal((await call(workspace, 'init')).code, 0);
    const again = await call(workspace, 'init');
    assert.equal(again.code, 1);
    assert.match(again.messages, /--force/);
  });

  it('doctor works with nothing there, and exits 0', async () => {
    const { code, out } = await call(fakeWorkspace(), 'doctor --json');
    assert.equal(code, 0);
    const report = JSON.parse(out);
    assert.equal(report.ok, true);
    assert.deepEqual(Object.keys(report), [
      'ok',
      'workspace',
      'supervisors',
      'heartbeat',
      'guardian',
      'processes',
      'deadProcesses',
      'orphans',
      'escaped',
      'ports',
      'environment',
      'budgets',
      'findings',
    ]);
  });

  it('doctor --fix has nothing to mend with nothing there, and creates nothing', async () => {
    const workspace = fakeWorkspace();
    const { code, out } = await call(workspace, 'doctor --fix --json');
    assert.deepEqual([code, JSON.parse(out).fixes, existsSync(join(workspace.root, '.coppice'))], [0, [], false]);
  });

  it('doctor does not drill and mend at once', async () => {
    assert.equal((await call(fakeWorkspace(), 'doctor --fix --drill')).code, 64);
  });
});
