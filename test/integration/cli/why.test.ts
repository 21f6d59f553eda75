import assert from 'node:assert/strict';
import type { Answer } from '../../../server/cli/why/types.ts';
import {
  closeWorkspaces,
  DEAF,
  isAlive,
  openWorkspace,
  STEADY,
  type SupervisedWorkspace,
  signal,
} from '../../support/supervised.ts';
import { removeTemporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const restart = { backoff: { initial: '10ms', max: '40ms' }, crashes: { count: 4, window: '5m' } };
/** Takes 60 MB and keeps it. */
const HUNGRY =
  "const held = Buffer.alloc(60 * 1024 * 1024, 1); console.log('up'); setInterval(() => held.length, 1000);";

const SERVICES = {
  steady: STEADY,
  other: STEADY,
  crashing: { command: ['sh', '-c', 'echo last words; exit 3'], restart },
  absent: { command: 'no-such-program', restart },
  app: { ...STEADY, dependsOn: ['crashing'] },
  wedged: { ...DEAF, stopTimeout: '200ms', live: { exec: 'false', interval: '50ms', failures: 3 } },
  late: { command: 'sleep 1000', ready: { log: 'never', timeout: '200ms', interval: '20ms' }, restart },
  hungry: {
    command: [process.execPath, '-e', HUNGRY],
    ready: { log: 'up', interval: '20ms' },
    memory: { max: '20MB' },
    restart: { ...restart, drains: { count: 0, window: '5m' } },
    enabled: false,
  },
};

describe('coppice why, of services that really run', function () {
  this.timeout(60_000);
  let workspace: SupervisedWorkspace;

  before(async () => {
    workspace = openWorkspace({
      services: SERVICES,
      tasks: { build: { command: ['sh', '-c', 'echo no; exit 2'], retries: 1 } },
    });
    // Some of them fail, as they are to.
    await workspace.run('up', '--detach');
  });

  after(async () => {
    await closeWorkspaces();
    removeTemporaryFolders();
  });

  /** As a program and as a person are told. */
  async function why(name: string): Promise<Answer & { readonly text: string; readonly told: readonly string[] }> {
    const [answer, { stdout, code }] = await Promise.all([
      workspace.json<Answer>('why', name),
      workspace.run('why', name),
    ]);
    assert.equal(code, 0);
    return { ...answer, text: stdout, told: answer.chain.map((one) => one.text) };
  }

  it('tells a crash loop once, up to the breaker, with the last lines and what to type', async () => {
    await workspace.untilService('crashing', (one) => one.state === 'failed');
    const { headline, told, text, chain } = await why('crashing');
    assert.match(
      headline,
      /^crashing has failed, .*: crashed 4 times, each within 5m of the one before; last exit: code 3/,
    );
    assert.match(told[0] ?? '', /^`coppice up` from terminal pid \d+$/);
    assert.match(
      told[1] ?? '',
      /^crashed 4 times, with exit code 3 each time \(after .*\); started again after \d+ms, /,
    );
    assert.deepEqual([chain.length, chain[1]?.times], [3, 4]);
    assert.match(text, /Last lines of its output[^\n]*\n {2}last words\n/);
    assert.match(text, /crashes in a row: 4 of 4/);
    assert.match(text, /coppice reset crashing && coppice start crashing/);
  });

  it('tells who waits for a failed one why that one failed', async () => {
    const { state, headline, because, text } = await why('app');
    assert.equal(state, 'waiting');
    assert.match(headline, /^app cannot start .*: crashing has failed/);
    assert.deepEqual(
      because.map((one) => one.name),
      ['crashing'],
    );
    assert.match(text, /\n {2}crashing has failed, /);
  });

  it('tells how often a probe failed, that the service was stopped, killed and started again', async () => {
    await workspace.untilService('wedged', (one) => one.state === 'failed');
    const { told, text } = await why('wedged');
    assert.match(
      told.join('\n'),
      /stopped answering 4 times and was restarted .*; at last: liveness probe failed 3 times in a row/,
    );
    assert.match(text, /live\.timeout or live\.failures \(3 failures, .* now\) \(coppice\.json:\d+\)/);
    const kills = workspace.eventsNamed('tree_reaped').filter((one) => one.name === 'wedged');
    assert.deepEqual([kills[0]?.stopSignal, kills[0]?.stopTimeoutMs, kills[0]?.killed], ['SIGTERM', 200, true]);
  });

  it('tells what a command that is not there is, without every folder that was looked in', async () => {
    await workspace.untilService('absent', (one) => one.state === 'failed');
    const { told, advice } = await why('absent');
    assert.match(
      told[1] ?? '',
      /^could not be started 4 times: command not found: no-such-program \(looked in \d+ folders\)/,
    );
    assert.match(advice[0]?.text ?? '', /^correct or install its command \(coppice\.json:\d+\)$/);
  });

  it('tells that a service was not ready in time', async () => {
    await workspace.untilService('late', (one) => one.state === 'failed');
    const { told } = await why('late');
    assert.match(told.join('\n'), /was not ready in time 4 times and was stopped; at last: .*not ready within 200 ms/);
  });

  it('tells how much memory a drained service used and may use', async () => {
    await workspace.must('start', 'hungry');
    await workspace.untilService('hungry', (one) => one.state === 'failed', 40_000);
    const { told, text } = await why('hungry');
    assert.match(told.join('\n'), /its processes use \d+MB of memory, over memory\.max of 20MB/);
    assert.match(text, /raise memory\.max \(20MB now\) \(coppice\.json:\d+\)/);
  });

  it('tells which terminal stopped it', async () => {
    const stop = workspace.begin(['stop', 'other']);
    const { pid } = stop.child;
    assert.equal((await stop.ended).code, 0);
    const { headline, advice } = await why('other');
    assert.match(headline, new RegExp(`^other is stopped since .*: \`coppice stop\` from terminal pid ${pid}$`));
    assert.deepEqual(
      advice.map((one) => one.command),
      ['coppice start other'],
    );
  });

  it('tells the attempts of a task and its end', async () => {
    await workspace.run('start', 'build');
    await until('the end of build', () => workspace.eventsNamed('task_finished').length > 0);
    const { headline, told, text } = await why('build');
    assert.match(headline, /^build has failed, .*: exit code 2/);
    assert.ok(told.includes('attempt 2 of 2, after exit code 2'), told.join('\n'));
    assert.match(text, /Last lines[^\n]*\n {2}no\n/);
  });

  it('tells of a command of exec whose words may be secret its program and end alone', async () => {
    await workspace.run('exec', '--', 'sh', '-c', 'echo token=hunter2 >/dev/null; exit 7');
    const [ended] = workspace.eventsNamed('exec_ended');
    const { headline, text } = await why(String(ended?.name).replace('exec-', ''));
    assert.match(headline, /^exec-\S+ ended by itself with exit code 7/);
    assert.match(text, /sh started, pid \d+, for terminal pid \d+/);
    assert.doesNotMatch(text + JSON.stringify(workspace.events), /hunter2/);
  });

  it('exits with 64 for a name that nothing is known of, and guesses which was meant', async () => {
    const end = await workspace.run('why', 'steddy');
    assert.equal(end.code, 64);
    assert.match(end.stderr, /nothing is known of steddy; did you mean steady\?/);
  });

  it('answers from the files, and says so, while the supervisor is stopped', async () => {
    const supervisor = workspace.supervisor();
    signal(supervisor, 'SIGSTOP');
    try {
      const { headline, notes, advice } = await why('steady');
      assert.match(headline, /^steady is ready since .*, pid \d+$/);
      assert.match(notes[0] ?? '', new RegExp(`the supervisor \\(pid ${supervisor.pid}\\) does not answer`));
      assert.equal(advice[0]?.command, 'coppice doctor');
    } finally {
      signal(supervisor, 'SIGCONT');
    }
  });

  it('goes on across the loss of a supervisor: the same process under its successor', async () => {
    const before = workspace.supervisor();
    const leader = workspace.leader('steady');
    signal(before, 'SIGKILL');
    const after = await until('a successor', () => {
      const { lock } = workspace;
      return lock !== null && lock.pid !== before.pid ? lock.pid : null;
    });
    await workspace.untilService('steady', (one) => one.state === 'ready' && one.pid === leader.pid);
    const { told, since } = await why('steady');
    assert.match(told[0] ?? '', /^`coppice up` from terminal pid \d+$/);
    assert.match(told[1] ?? '', new RegExp(`^started, pid ${leader.pid}, and ready after `));
    assert.match(
      told[2] ?? '',
      new RegExp(
        `^supervisor ${before.pid} was lost .*; supervisor ${after}, started by its guardian, took its place$`,
      ),
    );
    assert.equal(told[3], `went on as the same process, pid ${leader.pid}, under supervisor ${after}`);
    assert.ok(since !== null && isAlive(leader));
  });

  it('works without any supervisor, and tells who ended it', async () => {
    await workspace.must('down');
    const { state, headline, notes } = await why('steady');
    assert.equal(state, 'stopped');
    assert.match(headline, /^steady is stopped since .*: `coppice down` from terminal pid \d+$/);
    assert.deepEqual(notes, ['no supervisor runs: this is told from the files of the last one']);
  });
});
