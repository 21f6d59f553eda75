import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { FixOutcome } from '../../../server/doctor/fix/types.ts';
import type { DoctorReport } from '../../../server/doctor/types.ts';
import { identify } from '../../../server/process/identity.ts';
import type { ProcessIdentity } from '../../../server/process/types.ts';
import { readJournal } from '../../../server/store/journalRead.ts';
import { lockPath } from '../../../server/store/paths.ts';
import {
  closeWorkspaces,
  isAlive,
  listing,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
} from '../../support/supervised.ts';
import { until } from '../../support/until.ts';

type Fixed = DoctorReport & { readonly fixes: readonly FixOutcome[] };

describe('`coppice doctor --fix`', () => {
  const strays: ChildProcess[] = [];

  afterEach(async () => {
    for (const stray of strays.splice(0)) stray.kill('SIGKILL');
    await closeWorkspaces();
  });

  const fix = (workspace: SupervisedWorkspace): Promise<Fixed> => workspace.json<Fixed>('doctor', '--fix');
  const mended = ({ fixes }: Fixed): string[] => fixes.filter((one) => one.done).map((one) => one.message);
  const left = ({ fixes }: Fixed): string[] => fixes.filter((one) => !one.done).map((one) => one.message);

  /** As a supervisor that died between a launch and its record leaves one. */
  async function orphanOf(workspace: SupervisedWorkspace): Promise<ProcessIdentity> {
    const { id } = JSON.parse(readFileSync(join(workspace.root, '.coppice/workspace.json'), 'utf8')) as { id: string };
    const env = { PATH: process.env.PATH, COPPICE_TREE: `${id}/lost/7/0123456789ab` };
    const stray = spawn('sleep', ['1000'], { env, stdio: 'ignore', detached: true });
    strays.push(stray);
    return until('the orphan', () => identify(stray.pid ?? 0));
  }

  /** The last sign of a supervisor is `ms` old. */
  function age(workspace: SupervisedWorkspace, ms: number): void {
    const at = Date.now() - ms;
    const beat = join(workspace.stateDir, 'heartbeat.json');
    writeFileSync(beat, JSON.stringify({ ...JSON.parse(readFileSync(beat, 'utf8')), at }));
    const journal = join(workspace.stateDir, 'events.jsonl');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    writeFileSync(journal, `${lines.map((line) => JSON.stringify({ ...JSON.parse(line), at })).join('\n')}\n`);
  }

  it('has nothing to mend in a healthy workspace and changes nothing there', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const moving = (path: string): boolean => path.endsWith('heartbeat.json');
    const all = (): Record<string, string> => listing(dirname(workspace.root), moving);
    let last = '';
    const atRest = (): boolean => {
      const now = JSON.stringify(all());
      const same = now === last;
      last = now;
      return same;
    };
    // The registry is written whole a moment after the last change.
    await until('the supervisor at rest', atRest, { intervalMs: 1_500 });
    const before = all();
    const { ok, fixes } = await fix(workspace);
    assert.deepEqual([ok, fixes], [true, []]);
    assert.deepEqual(all(), before);
  });

  it('wakes a supervisor that was stopped, and finds it well afterwards', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    signal(supervisor, 'SIGSTOP');
    const report = await fix(workspace);
    assert.deepEqual(mended(report), [`supervisor ${supervisor.pid} was stopped and runs again (SIGCONT)`]);
    assert.deepEqual([report.ok, report.supervisors.holder?.state], [true, 'alive']);
  });

  it('wakes a guardian that was stopped beside its supervisor', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    const guardian = workspace.guardian();
    signal(supervisor, 'SIGSTOP');
    signal(guardian, 'SIGSTOP');
    const report = await fix(workspace);
    assert.equal(mended(report).length, 2, mended(report).join());
    assert.deepEqual([report.ok, report.guardian.status], [true, 'watching']);
  });

  it('ends an orphan whose supervisor is long gone, and proves it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const orphan = await orphanOf(workspace);
    age(workspace, 6 * 60_000);
    const report = await fix(workspace);
    assert.equal(isAlive(orphan), false);
    assert.deepEqual(mended(report), [`lost (pid ${orphan.pid}) ended: 1 confirmed gone`]);
    assert.deepEqual([report.orphans, existsSync(lockPath(workspace.root))], [[], false]);
  });

  it('leaves an orphan alone that a successor may still come for, and says until when', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const orphan = await orphanOf(workspace);
    const report = await fix(workspace);
    assert.equal(isAlive(orphan), true);
    assert.match(left(report).join(), /its supervisor was there .* ago, and after 5m it is ended/);
  });

  it('leaves to a supervisor that lives what is on no record', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    signal(supervisor, 'SIGSTOP');
    const orphan = await orphanOf(workspace);
    const report = await fix(workspace);
    assert.deepEqual([isAlive(orphan), isAlive(supervisor)], [true, true]);
    assert.ok(left(report).some((one) => one.includes(`supervisor ${supervisor.pid} sees to it`)));
  });

  it('leaves an orphan alone whose start is written down: a successor can adopt it', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const orphan = await orphanOf(workspace);
    const spawned = { seq: 9999, at: 1, supervisor: 1, event: 'service_spawned', name: 'lost', ...orphan };
    appendFileSync(join(workspace.stateDir, 'events.jsonl'), `${JSON.stringify(spawned)}\n`);
    age(workspace, 6 * 60_000);
    const report = await fix(workspace);
    assert.equal(isAlive(orphan), true);
    assert.match(left(report).join(), /can adopt it/);
  });

  it('touches nothing of what a dead supervisor has left running, nor its lock', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    const leader = workspace.leader('web');
    workspace.processes();
    await workspace.killAll();
    const text = readFileSync(lockPath(workspace.root), 'utf8');
    const report = await fix(workspace);
    assert.deepEqual([isAlive(leader), readFileSync(lockPath(workspace.root), 'utf8')], [true, text]);
    // A write that was cut short may have left a file that is not tidied up now, which is said.
    assert.deepEqual(
      report.fixes.filter(({ done }) => done),
      [],
    );
  });

  it('leaves the lock of a dead supervisor whose services run also when there is something to tidy up (it was removed)', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    workspace.processes();
    await workspace.killAll();
    writeFileSync(join(workspace.stateDir, '.registry.json.4194303-0123456789ab.tmp'), '{');
    const text = readFileSync(lockPath(workspace.root), 'utf8');
    const { fixes } = await fix(workspace);
    assert.equal(readFileSync(lockPath(workspace.root), 'utf8'), text);
    assert.deepEqual(
      fixes.map(({ done }) => done),
      [false],
    );
  });

  it('removes what belongs to nobody, ends a torn line, keeps evidence, and has nothing to do the second time', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const { stateDir } = workspace;
    const leftovers = [
      join(stateDir, '.registry.json.4194303-0123456789ab.tmp'),
      join(stateDir, 'exits', 'service%2fgone-3.json'),
      `${lockPath(workspace.root)}.4194303-0123456789ab.tmp`,
    ];
    for (const path of leftovers) writeFileSync(path, '{"pid":1,"code":0,"signal":null,"at":1,"witness":"keeper"}');
    const evidence = join(stateDir, 'registry.json.corrupt-20260101T101010123Z-ab12');
    writeFileSync(evidence, 'x');
    const before = readJournal(stateDir).events.length;
    appendFileSync(join(stateDir, 'events.jsonl'), '{"torn');
    const report = await fix(workspace);
    assert.deepEqual(leftovers.filter(existsSync), []);
    assert.ok(existsSync(evidence));
    assert.ok(readFileSync(join(stateDir, 'events.jsonl'), 'utf8').endsWith('{"torn\n'));
    assert.equal(readJournal(stateDir).events.length, before);
    assert.equal(left(report).length, 0, left(report).join());
    assert.deepEqual((await fix(workspace)).fixes, []);
  });

  it('removes a stale lock when nothing of its holder is left', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    const supervisor = await workspace.up();
    await workspace.must('stop', 'web');
    await workspace.killAll();
    const report = await fix(workspace);
    assert.deepEqual(mended(report)[0], `removed the lock of supervisor ${supervisor.pid}, which is gone`);
    assert.equal(existsSync(lockPath(workspace.root)), false);
    assert.equal(report.supervisors.holder, null);
  });

  it('makes the state directory private again', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const { stateDir } = workspace;
    chmodSync(stateDir, 0o755);
    chmodSync(join(stateDir, 'events.jsonl'), 0o666);
    const report = await fix(workspace);
    const modes = [stateDir, join(stateDir, 'events.jsonl')].map((path) => (statSync(path).mode & 0o777).toString(8));
    assert.deepEqual([modes, report.ok], [['700', '600'], true]);
  });

  it('does not trust a state directory that others could write to and that holds a link', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    const { stateDir } = workspace;
    symlinkSync('/etc/passwd', join(stateDir, 'planted'));
    chmodSync(stateDir, 0o777);
    const report = await fix(workspace);
    const { mode } = statSync(stateDir);
    chmodSync(stateDir, 0o700);
    assert.deepEqual([(mode & 0o777).toString(8), report.ok], ['777', false]);
    assert.match(left(report).join(), /planted/);
  });

  it('leaves everything to the supervisor that is coming when two calls meet', async () => {
    const workspace = openWorkspace({ services: { web: STEADY } });
    await workspace.up();
    await workspace.run('down');
    mkdirSync(join(workspace.stateDir, 'exits'), { recursive: true });
    writeFileSync(join(workspace.stateDir, 'exits', 'service%2fgone-3.json'), '{}');
    const ends = await Promise.all([fix(workspace), fix(workspace), workspace.run('up', '--detach')]);
    assert.equal(ends[2].code, 0, ends[2].stderr);
    assert.equal((await workspace.status()).services[0]?.state, 'ready');
  });
});
