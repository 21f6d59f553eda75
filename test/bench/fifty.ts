import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { PROJECT, TestWorkspace } from '../support/workspace.ts';
import { Births } from './births.ts';
import { connectTo } from './connectTo.ts';
import { digits, median, type Row, spread } from './measure.ts';

const SERVICES = 50;
const ROUNDS = 5;
const SUPERVISOR = join(PROJECT, 'dist/supervisor.cjs');

/** Fifty services from nothing to running, and back to proven nothing; each beside the same done bare. */
export async function benchFifty(): Promise<Row[]> {
  const ours: Round[] = [];
  const bare: Round[] = [];
  const command: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await bareRound());
    ours.push(await supervisedRound());
    command.push(await commandRound());
  }
  const [startOurs, startBare] = [ours.map((one) => one.startMs), bare.map((one) => one.startMs)];
  const [stopOurs, stopBare] = [ours.map((one) => one.stopMs), bare.map((one) => one.stopMs)];
  const ratio = median(startOurs) / median(startBare);
  const extra = median(stopOurs) - median(stopBare);
  return [
    {
      what: `${SERVICES} services, cold to running`,
      ours: spread(startOurs),
      bare: spread(startBare),
      figure: `${ratio.toFixed(1)}x`,
      limit: '2x',
      held: ratio <= 2,
    },
    {
      what: `${SERVICES} services, from \`coppice up\` to running`,
      ours: spread(command),
      bare: spread(startBare),
      figure: `${(median(command) / median(startBare)).toFixed(1)}x`,
      limit: '-',
      held: true,
    },
    {
      what: `stop ${SERVICES} trees, proven empty`,
      ours: spread(stopOurs),
      bare: spread(stopBare),
      figure: `+${digits(extra)} ms`,
      limit: '+150 ms',
      held: extra <= 150,
    },
  ];
}

interface Round {
  readonly startMs: number;
  readonly stopMs: number;
}

/** From starting the supervisor's process to the last child's birth; the stop is the request to its proof. */
async function supervisedRound(): Promise<Round> {
  const { workspace, births } = fiftyServices();
  try {
    const began = performance.now();
    const supervisor = spawn(
      process.execPath,
      ['--max-old-space-size=512', '--max-semi-space-size=1', SUPERVISOR, '--root', workspace.root],
      {
        env: workspace.env,
        stdio: 'ignore',
      },
    );
    const client = await until('the supervisor', () => connectTo(workspace).catch(() => null), { intervalMs: 2 });
    void client.request('up', { names: [] });
    await births.reach(SERVICES);
    const startMs = births.seen[SERVICES - 1]!.at - began;
    const stopping = performance.now();
    const stopped = await client.request('stop', { names: [] });
    const stopMs = performance.now() - stopping;
    if (!stopped.ok) throw new Error(`stop: ${stopped.failure.reason}`);
    client.close();
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
    return { startMs, stopMs };
  } finally {
    await workspace.close();
    births.close();
  }
}

/** The same as a person sees it: from `coppice up` to the last child's birth. */
async function commandRound(): Promise<number> {
  const { workspace, births } = fiftyServices();
  try {
    const began = performance.now();
    const up = workspace.begin(['up', '--detach', '--no-wait']);
    await births.reach(SERVICES);
    await up.ended;
    return births.seen[SERVICES - 1]!.at - began;
  } finally {
    await workspace.close();
    births.close();
  }
}

function fiftyServices(): { workspace: TestWorkspace; births: Births } {
  const workspace = new TestWorkspace('bench-fifty');
  const births = new Births(workspace.state);
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
  workspace.configure({ services: Object.fromEntries(names.map((name) => [name, { command: births.command }])) });
  return { workspace, births };
}

/** A Node program that spawns the same commands, and on request signals their groups and waits for the last exit. */
async function bareRound(): Promise<Round> {
  const workspace = new TestWorkspace('bench-fifty-bare');
  const births = new Births(workspace.state);
  const script = join(workspace.state, 'loop.mjs');
  writeFileSync(script, LOOP);
  const began = performance.now();
  const loop = spawn(process.execPath, [script, String(SERVICES), ...births.command], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  loop.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  try {
    await births.reach(SERVICES);
    const startMs = births.seen[SERVICES - 1]!.at - began;
    loop.kill('SIGTERM');
    const stopMs = Number(
      await until('the bare loop to stop', () => /stopped in (\S+)/.exec(printed)?.[1], { intervalMs: 5 }),
    );
    return { startMs, stopMs };
  } catch (error) {
    // Nobody else would end them: that is the point of the comparison.
    for (const { pid } of births.seen) process.kill(pid, 'SIGKILL');
    throw error;
  } finally {
    births.close();
  }
}

const LOOP = `
import { spawn } from 'node:child_process';
const [count, program, ...args] = process.argv.slice(2);
const children = [];
process.on('SIGTERM', async () => {
  const began = performance.now();
  const exits = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) process.kill(-child.pid, 'SIGTERM');
  await Promise.all(exits);
  console.log('stopped in ' + (performance.now() - began));
  process.exit(0);
});
for (let n = 0; n < Number(count); n += 1) children.push(spawn(program, args, { stdio: 'ignore', detached: true }));
`;
