import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { identify } from '../../server/process/identity.ts';
import { signalProcess } from '../../server/process/signal.ts';
import { COMMAND, TestWorkspace } from '../support/workspace.ts';
import { median, type Row, spread } from './measure.ts';

const PROCESSES = 600;
const SERVICES = 20;
const ROUNDS = 5;
const LIMIT_MS = 2_000;

/** `coppice doctor` on a machine with 600 processes more: with the supervisor up, and stopped. */
export async function benchDoctor(): Promise<Row[]> {
  const workspace = new TestWorkspace('bench-doctor');
  const services = Array.from({ length: SERVICES }, (_, index) => [
    `service-${index}`,
    { command: ['sleep', '100000'] },
  ]);
  workspace.configure({ services: Object.fromEntries(services) });
  const crowd: ChildProcess[] = [];
  try {
    await workspace.must('up', '--detach');
    for (let count = 0; count < PROCESSES; count += 1) crowd.push(spawn('sleep', ['100000'], { stdio: 'ignore' }));
    const { supervisor } = await workspace.status();
    const identity = identify(supervisor?.pid ?? 0);
    if (identity === null) throw new Error('there is no supervisor');
    const rows = [measure(workspace, 'up')];
    signalProcess(identity, 'SIGSTOP');
    rows.push(measure(workspace, 'stopped'));
    signalProcess(identity, 'SIGCONT');
    return rows;
  } finally {
    await Promise.all(
      crowd.map((one) => {
        const ended = once(one, 'exit');
        one.kill('SIGKILL');
        return ended;
      }),
    );
    await workspace.close();
  }
}

function measure(workspace: TestWorkspace, state: string): Row {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    spawnSync(process.execPath, [COMMAND, 'doctor', '--json'], { cwd: workspace.root, env: workspace.env });
    return performance.now() - began;
  });
  return {
    what: `\`coppice doctor\` among ${PROCESSES} processes, supervisor ${state}`,
    ours: spread(times),
    bare: '-',
    figure: `${Math.round(median(times))} ms`,
    limit: `${LIMIT_MS} ms`,
    held: Math.max(...times) < LIMIT_MS,
  };
}
