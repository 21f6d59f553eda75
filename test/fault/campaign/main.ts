/**
 * `npm run faults [-- --rounds 500] [--seed N] [--only N] [--json FILE]`: kills, freezes and checks, round after round.
 *
 * Where the system allows it the campaign runs in a pid namespace of its own: then every process there is is ours, and
 * one that belongs to nobody shows, whatever it did to its environment.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Campaign, type Round } from './campaign.ts';
import { Stage } from './stage.ts';
import { summary } from './summary.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string' },
    /** The seed of one round, as a failure prints it. */
    only: { type: 'string' },
    json: { type: 'string' },
    'stop-at-first': { type: 'boolean', default: false },
  },
});
/** So many rounds share a workspace; its journal and logs grow all the while. */
const ROUNDS_PER_WORKSPACE = 100;
const INSIDE = 'COPPICE_CAMPAIGN_INSIDE';
const NAMESPACE = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

if (process.env[INSIDE] === undefined && (await canUnshare())) process.exitCode = await repeatInside();
else await main();

async function main(): Promise<void> {
  const alone = process.env[INSIDE] === 'alone';
  const seed = Number(values.only ?? values.seed ?? Math.floor(Math.random() * 2 ** 32));
  const count = values.only === undefined ? Number(values.rounds) : 1;
  console.log(
    `fault campaign: ${count} rounds, seed ${seed}, ${alone ? 'in a pid namespace of its own' : 'among all processes'}`,
  );
  const rounds: Round[] = [];
  const faults: string[] = [];
  const began = performance.now();
  let lines = 0;
  for (let first = 0; first < count && faults.length === 0; first += ROUNDS_PER_WORKSPACE) {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-campaign-'));
    const stage = new Stage(folder);
    const campaign = new Campaign(stage, alone);
    try {
      faults.push(...(await campaign.open()));
      for (
        let index = first;
        index < Math.min(count, first + ROUNDS_PER_WORKSPACE) && faults.length === 0;
        index += 1
      ) {
        // The first round has the campaign's own seed, so that `--only` with a round's seed is that round.
        const round = await campaign.round((seed + index * 0x9e3779b9) >>> 0);
        rounds.push(round);
        tell(round, rounds.length, count);
        faults.push(...round.faults.map((text) => `seed ${round.seed}: ${text}`));
      }
      lines += campaign.lines;
      faults.push(...(await campaign.close()));
    } catch (error) {
      faults.push(`the campaign itself: ${(error as Error).stack}`);
    } finally {
      stage.endCommands();
      if (faults.length === 0) rmSync(folder, { recursive: true, force: true });
      else {
        const kept = `${folder}-failed`;
        cpSync(folder, kept, { recursive: true, filter: (path) => !path.endsWith('.sock') });
        console.log(`the workspace and its state are kept in ${kept}`);
      }
    }
  }
  const text = summary(rounds, { lines, seconds: (performance.now() - began) / 1000, alone });
  console.log(text);
  for (const fault of faults) console.log(`DOES NOT HOLD  ${fault}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, rounds, faults }, null, 2)}\n`);
  console.log(
    faults.length === 0
      ? 'all held'
      : `${faults.length} did not hold; npm run faults -- --seed ${seed} begins the same way`,
  );
  // What a failed campaign leaves running ends with its namespace.
  process.exit(faults.length === 0 ? 0 : 1);
}

function tell(round: Round, number: number, count: number): void {
  const recovery = round.recoveryMs === null ? '' : `, successor after ${round.recoveryMs} ms`;
  const verdict = round.faults.length === 0 ? 'held' : 'DOES NOT HOLD';
  console.log(
    `${String(number).padStart(4)}/${count}  ${round.activity.padEnd(8)} ${round.fault.padEnd(34)} ${verdict} (settled in ${round.settledMs} ms${recovery}; seed ${round.seed})`,
  );
}

async function canUnshare(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return (await run('unshare', [...NAMESPACE, 'true'])) === 0;
}

/** The shell is the namespace's first process and collects whoever loses its parent; its end ends all the others. */
function repeatInside(): Promise<number> {
  const words = [process.execPath, resolve(import.meta.filename), ...process.argv.slice(2)];
  return run('unshare', [...NAMESPACE, '/bin/sh', '-c', '"$@" & wait $!', 'sh', ...words], {
    ...process.env,
    [INSIDE]: 'alone',
  });
}

function run(program: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return new Promise((done) => {
    const child = spawn(program, words, { stdio: 'inherit', env });
    child.once('error', () => done(127));
    child.once('close', (code) => done(code ?? 1));
  });
}
