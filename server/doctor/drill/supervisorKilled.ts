import { readFileSync } from 'node:fs';
import { liveness } from '../../process/identity.ts';
import type { ProcessIdentity, TreeIdentity } from '../../process/types.ts';
import { logPath } from '../../store/paths.ts';
import { killAndWait, type Stage } from './stage.ts';
import { fails, holds, type Outcome, untested } from './types.ts';

const SUCCESSOR = 'a supervisor that is killed gets a successor within seconds, without anyone asking';
const ADOPTED = 'what runs when the supervisor is killed runs on, and is adopted under the same pid';
const ONCE = 'nothing is started a second time when a successor takes over';
const OUTPUT = 'no line of output is lost while there is no supervisor';
const EXIT = 'the exit code of what ended while there was no supervisor is known';
const ALL = [SUCCESSOR, ADOPTED, ONCE, OUTPUT, EXIT];

/** Prints numbers one after the other; a number that is missing or comes twice is seen. */
const TICKER = 'n=0; while :; do n=$((n+1)); echo "tick $n"; sleep 0.05; done';
/** Ends with a code of its own as soon as it is told to. */
const LEAVER = 'until [ -e leave ]; do sleep 0.05; done; exit 7';
const BY_ITSELF_MS = 8_000;

/** SIGKILL to the supervisor at work. */
export async function drillSupervisorKilled(stage: Stage): Promise<Outcome[]> {
  const trouble = await stage.up({
    ticker: { command: ['sh', '-c', TICKER], ready: { log: 'tick 1' } },
    leaver: { command: ['sh', '-c', LEAVER], restart: 'no' },
  });
  const first = await stage.supervisor();
  const ticker = stage.record('ticker');
  const leaver = stage.record('leaver');
  if (trouble !== null || first === null || ticker === null || leaver === null) {
    return ALL.map((one) => fails(one, trouble ?? 'the services did not come up'));
  }
  if (!(await killAndWait(stage, first))) return ALL.map((one) => untested(one, 'the supervisor cannot be killed'));
  stage.write('leave', '');
  await stage.until(() => (liveness(leaver.tree.leader) === 'alive' ? null : true), 5_000);
  const killedAt = performance.now();
  const outcomes: Outcome[] = [];
  let second = await successorOf(stage, first, BY_ITSELF_MS);
  if (second !== null) {
    const ms = Math.round(performance.now() - killedAt);
    outcomes.push(holds(SUCCESSOR, `pid ${second.pid} was in charge ${ms} ms later`));
  } else {
    outcomes.push(
      untested(SUCCESSOR, `none came within ${BY_ITSELF_MS / 1000} s; there may be no guardian on this system`),
    );
    const again = await stage.coppice(['up', '--detach', 'ticker']);
    if (!again.ok || again.code !== 0) return [...outcomes, ...ALL.slice(1).map((one) => fails(one, 'no successor'))];
    second = await successorOf(stage, first, BY_ITSELF_MS);
  }
  await stage.until(() => eventOf(stage, 'adopted', 'ticker', second), 10_000);
  return [
    ...outcomes,
    adopted(stage, ticker.tree),
    await startedOnce(stage, ticker.tree),
    await continuous(stage),
    await exitKnown(stage),
  ];
}

function successorOf(stage: Stage, first: ProcessIdentity, limitMs: number): Promise<ProcessIdentity | null> {
  return stage.until(async () => {
    const now = await stage.supervisor();
    return now !== null && now.pid !== first.pid ? now : null;
  }, limitMs);
}

function eventOf(stage: Stage, event: string, name: string, by: ProcessIdentity | null): true | null {
  return stage.events().some((one) => one.event === event && one.name === name && one.supervisor === by?.pid) || null;
}

function adopted(stage: Stage, tree: TreeIdentity): Outcome {
  const { pid } = tree.leader;
  const now = stage.record('ticker')?.tree.leader;
  if (liveness(tree.leader) !== 'alive') return fails(ADOPTED, `pid ${pid} did not survive`);
  if (now?.pid !== pid || now.startTime !== tree.leader.startTime) {
    return fails(ADOPTED, `pid ${pid} lives, and pid ${now?.pid ?? 'nobody'} is on record`);
  }
  return holds(ADOPTED, `pid ${pid}, same start time`);
}

async function startedOnce(stage: Stage, tree: TreeIdentity): Promise<Outcome> {
  const leaders = (await stage.marked()).filter((row) => row.pid === row.session && row.name !== 'coppice-keeper');
  const strangers = leaders.filter((row) => row.pid !== tree.leader.pid);
  if (strangers.length > 0)
    return fails(ONCE, `beside pid ${tree.leader.pid} there is ${strangers.map((one) => one.pid)}`);
  const spawned = stage.events().filter((one) => one.event === 'service_spawned' && one.name === 'ticker');
  return spawned.length === 1
    ? holds(ONCE, 'one start in the journal, one process')
    : fails(ONCE, `${spawned.length} starts`);
}

async function continuous(stage: Stage): Promise<Outcome> {
  const read = (): number[] => {
    const lines = readFileSync(logPath(stage.stateDir, 'ticker'), 'utf8').split('\n').slice(0, -1);
    return lines.flatMap((line) => (line.startsWith('tick ') ? [Number(line.slice(5))] : []));
  };
  const before = read().length;
  await stage.until(() => (read().length > before + 3 ? true : null), 5_000);
  const ticks = read();
  const wrong = ticks.findIndex((tick, index) => tick !== index + 1);
  if (wrong !== -1) return fails(OUTPUT, `after line ${wrong} comes ${ticks[wrong]}`);
  return ticks.length > before
    ? holds(OUTPUT, `${ticks.length} numbered lines, none missing`)
    : fails(OUTPUT, 'it stopped');
}

async function exitKnown(stage: Stage): Promise<Outcome> {
  const event = await stage.until(
    () => stage.events().find((one) => one.event === 'service_exited' && one.name === 'leaver') ?? null,
    10_000,
  );
  if (event === null) return fails(EXIT, 'its end is not in the journal');
  return event.code === 7 ? holds(EXIT, 'code 7, as it was') : fails(EXIT, `code ${String(event.code)} instead of 7`);
}
