import { spawn } from 'node:child_process';
import { TestWorkspace } from '../support/workspace.ts';
import { Births } from './births.ts';
import { median, type Row, spread } from './measure.ts';

const ROUNDS = 100;

/** Crash (SIGKILL of the leader) to the next start's own birth: supervised with no delay, and in a bare Node loop. */
export async function benchRespawn(): Promise<Row> {
  const bare = await bareLoop();
  const ours = await supervised();
  const ratio = median(ours) / median(bare);
  return {
    what: 'crash to respawn, old tree proven gone',
    ours: spread(ours),
    bare: spread(bare),
    figure: `${ratio.toFixed(1)}x`,
    limit: '5x',
    held: ratio <= 5,
  };
}

async function supervised(): Promise<number[]> {
  const workspace = new TestWorkspace('bench-respawn');
  const births = new Births(workspace.state);
  const plenty = { count: 1000, window: '1ms' };
  workspace.configure({
    services: {
      victim: {
        command: births.command,
        restart: {
          policy: 'always',
          backoff: { initial: '0ms', max: '0ms' },
          crashes: plenty,
          slow: plenty,
          clean: plenty,
        },
      },
    },
  });
  try {
    await workspace.must('up', '--detach');
    return await killRounds(births);
  } finally {
    await workspace.close();
    births.close();
  }
}

async function bareLoop(): Promise<number[]> {
  const workspace = new TestWorkspace('bench-bare');
  const births = new Births(workspace.state);
  let ending = false;
  const [program, ...args] = births.command;
  let child = start();
  function start(): ReturnType<typeof spawn> {
    const next = spawn(program!, args, { stdio: 'ignore', detached: true });
    next.once('exit', () => {
      if (!ending) child = start();
    });
    return next;
  }
  try {
    return await killRounds(births);
  } finally {
    ending = true;
    child.kill('SIGKILL');
    births.close();
  }
}

async function killRounds(births: Births): Promise<number[]> {
  const times: number[] = [];
  await births.reach(1);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const victim = births.seen[round - 1]!;
    const killedAt = performance.now();
    process.kill(victim.pid, 'SIGKILL');
    await births.reach(round + 1);
    times.push(births.seen[round]!.at - killedAt);
  }
  return times;
}
