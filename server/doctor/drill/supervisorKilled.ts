import { readFileSync } from 'node:fs';
import { liveness } from '../../process/identity.ts';
import type { ProcessIdentity, TreeIdentity } from '../../process/types.ts';
import { logPath } from '../../store/paths.ts';
import { killAndWait, type Stage } from './stage.ts';
import { fails, holds, type Outcome, type Outcomes, untested } from './types.ts';

const SUCCESSOR = 'a supervisor that is killed gets a successor within seconds, without anyone asking';
const ADOPTED = 'what runs when the supervisor is killed runs on, and is adopted under the same pid';
const ONCE = 'nothing is started a second time when a successor takes over';
const OUTPUT = 'no line of output is lost while there is no supervisor';
const NOBODY = 'with its guardian killed as well, the next command takes over what runs';
const EXIT = 'the exit code of what ended while there was nobody is known';
const ALL = [SUCCESSOR, ADOPTED, ONCE, OUTPUT, NOBODY, EXIT];

/** Prints numbers one after the other; a number that is missing or comes twice is seen. */
const TICKER = 'n=0; while :; do n=$((n+1)); echo "tick $n"; sleep 0.05; done';
/** Ends with a code of its own as soon as it is told to. */
const LEAVER = 'until [ -e leave ]; do sleep 0.05; done; exit 7';
const BY_ITSELF_MS = 8_000;

/** SIGKILL to the supervisor at work, then to the next one and its guardian. */
export async function* drillSupervisorKilled(stage: Stage): Outcomes {
  const trouble = await stage.up({
    ticker: { command: ['sh', '-c', TICKER], ready: { log: 'tick 1' } },
    leaver: { command: ['sh', '-c', LEAVER], restart: 'no' },
  });
  const first = await stage.supervisor();
  const ticker = stage.record('ticker')?.tree;
  const leaver = stage.record('leaver')?.tree;
  if (trouble !== null || first === null || ticker === undefined || leaver === undefined) {
    return yield* ALL.map((one) => fails(one, trouble ?? 'the services did not come up'));
  }
  const guarded = (await stage.guardian()) !== null;
  const killedAt = performance.now();
  if (!(await killAndWait(stage, first))) return yield* ALL.map((one) => untested(one, 'no supervisor can be killed'));
  let second = guarded ? await successorOf(stage, [first], BY_ITSELF_MS) : null;
  const ms = Math.round(performance.now() - killedAt);
  if (second !== null) yield holds(SUCCESSOR, `pid ${second.pid} was in charge ${ms} ms later`);
  else if (guarded) yield fails(SUCCESSOR, `none came within ${BY_ITSELF_MS / 1000} s`);
  else yield untested(SUCCESSOR, 'there is no guardian on this system');
  second ??= await callSuccessor(stage, [first]);
  if (second === null) return yield* ALL.slice(1).map((one) => fails(one, 'nobody took over'));
  const { pid } = second;
  await stage.until(() => adoptedBy(stage, pid), 10_000);
  yield adopted(stage, ticker);
  yield await startedOnce(stage, ticker);
  yield await continuous(stage);
  const guardian = await stage.guardian();
  if (guardian !== null) await killAndWaitFor(stage, second, guardian);
  else await killAndWait(stage, second);
  stage.write('leave', '');
  await stage.until(() => (liveness(leaver.leader) === 'alive' ? null : true), 5_000);
  const third = await callSuccessor(stage, [first, second]);
  const rest = third === null ? fails(NOBODY, 'nobody took over') : adopted(stage, ticker);
  yield { ...rest, guarantee: NOBODY };
  yield await exitKnown(stage);
}

/** The guardian first, and it must not see the end of the other: both are stopped before either is killed. */
async function killAndWaitFor(stage: Stage, supervisor: ProcessIdentity, guardian: ProcessIdentity): Promise<void> {
  stage.signal(supervisor, 'SIGSTOP');
  await killAndWait(stage, guardian);
  await killAndWait(stage, supervisor);
}

function successorOf(
  stage: Stage,
  before: readonly ProcessIdentity[],
  limitMs: number,
): Promise<ProcessIdentity | null> {
  return stage.until(async () => {
    const now = await stage.supervisor();
    return now !== null && before.every((one) => one.pid !== now.pid) ? now : null;
  }, limitMs);
}

/** As a person would, by the next command. */
async function callSuccessor(stage: Stage, before: readonly ProcessIdentity[]): Promise<ProcessIdentity | null> {
  await stage.coppice(['up', '--detach', 'ticker']);
  return successorOf(stage, before, BY_ITSELF_MS);
}

function adoptedBy(stage: Stage, pid: number): true | null {
  const found = stage
    .events()
    .some((one) => one.event === 'adopted' && one.name === 'ticker' && one.supervisor === pid);
  return found || null;
}

function adopted(stage: Stage, tree: TreeIdentity): Outcome {
  const { pid, startTime } = tree.leader;
  const now = stage.record('ticker')?.tree.leader;
  if (liveness(tree.leader) !== 'alive') return fails(ADOPTED, `pid ${pid} did not survive`);
  if (now?.pid !== pid || now.startTime !== startTime) {
    return fails(ADOPTED, `pid ${pid} lives, and pid ${now?.pid ?? 'nobody'} is on record`);
  }
  return holds(ADOPTED, `pid ${pid}, same start time`);
}

async function startedOnce(stage: Stage, tree: TreeIdentity): Promise<Outcome> {
  const leaders = (await stage.marked('ticker')).filter((row) => row.pid === row.session);
  const others = leaders.filter((row) => row.pid !== tree.leader.pid && row.name !== 'coppice-keeper');
  if (others.length > 0) return fails(ONCE, `beside pid ${tree.leader.pid} there is ${others.map((one) => one.pid)}`);
  const starts = stage.events().filter((one) => one.event === 'service_spawned' && one.name === 'ticker').length;
  return starts === 1 ? holds(ONCE, 'one start in the journal, one process') : fails(ONCE, `${starts} starts`);
}

async function continuous(stage: Stage): Promise<Outcome> {
  const read = (): number[] => {
    const lines = readFileSync(logPath(stage.stateDir, 'ticker'), 'utf8').split('\n').slice(0, -1);
    return lines.flatMap((line) => (line.startsWith('tick ') ? [Number(line.slice('tick '.length))] : []));
  };
  const before = read().length;
  const grew = await stage.until(() => (read().length > before + 3 ? true : null), 5_000);
  const ticks = read();
  const wrong = ticks.findIndex((tick, index) => tick !== index + 1);
  if (wrong !== -1) return fails(OUTPUT, `after line ${wrong} comes ${ticks[wrong]}`);
  return grew === null ? fails(OUTPUT, 'it stopped') : holds(OUTPUT, `${ticks.length} numbered lines, none missing`);
}

async function exitKnown(stage: Stage): Promise<Outcome> {
  const event = await stage.until(
    () => stage.events().find((one) => one.event === 'service_exited' && one.name === 'leaver') ?? null,
    10_000,
  );
  if (event === null) return fails(EXIT, 'its end is not in the journal');
  return event.code === 7 ? holds(EXIT, 'code 7, as it was') : fails(EXIT, `code ${String(event.code)} instead of 7`);
}
