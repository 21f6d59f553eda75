import { rmSync } from 'node:fs';
import { bootId } from '../../process/identity.ts';
import { signalProcess } from '../../process/signal.ts';
import { lockPath } from '../../store/paths.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcome, type Outcomes } from './types.ts';

const ONE = 'of supervisors that start at once over a stale lock exactly one wins, and the others leave with code 2';
const HOME = 'a second supervisor is turned away whatever its state home is, and changes nothing';
const DELETED = 'a lock that is deleted is put back, and nobody else gets the workspace meanwhile';
const CONTENDERS = 3;
const HELD = 2;

/** One master, whatever happens to the lock. */
export async function* drillClaim(stage: Stage): Outcomes {
  const trouble = (await stage.up({ idle: { command: ['sleep', '100000'] } })) ?? (await stage.down());
  if (trouble !== null) return yield* [ONE, HOME, DELETED].map((one) => fails(one, trouble));
  stage.write(lockPath(stage.root), `${JSON.stringify(staleLock(stage))}\n`);
  const began = performance.now();
  const runs = Array.from({ length: CONTENDERS }, () => stage.coppice(['serve']));
  const winner = await stage.until(() => stage.supervisor(), 10_000);
  const losers = new Map<number, { readonly code: number | null; readonly ms: number }>();
  runs.forEach((run, index) => {
    void run.then((end) => losers.set(index, { code: end.ok ? end.code : null, ms: performance.now() - began }));
  });
  await stage.until(() => (losers.size >= CONTENDERS - 1 ? true : null), 10_000);
  if (winner === null) return yield* [ONE, HOME, DELETED].map((one) => fails(one, 'nobody holds the workspace'));
  yield judgeContest([...losers.values()]);
  yield await otherHome(stage, winner.pid);
  yield await deleted(stage, winner.pid);
  signalProcess(winner, 'SIGTERM');
  await Promise.all(runs);
}

function judgeContest(losers: readonly { readonly code: number | null; readonly ms: number }[]): Outcome {
  const codes = losers.map((one) => one.code);
  if (losers.length !== CONTENDERS - 1) return fails(ONE, `${CONTENDERS - losers.length} of ${CONTENDERS} are running`);
  if (codes.some((code) => code !== HELD)) return fails(ONE, `exit codes ${codes.join(', ')}`);
  const slowest = Math.round(Math.max(...losers.map((one) => one.ms)));
  return holds(ONE, `${codes.length} of ${CONTENDERS} left with code 2, the last after ${slowest} ms`);
}

async function otherHome(stage: Stage, holder: number): Promise<Outcome> {
  const before = stage.events().length;
  const end = await stage.coppice(['serve'], { COPPICE_STATE_HOME: stage.path('elsewhere') });
  const now = await stage.supervisor();
  if (!end.ok || end.code !== HELD) return fails(HOME, `exit code ${end.ok ? end.code : end.detail}`);
  if (now?.pid !== holder || stage.events().length !== before) return fails(HOME, 'the first one was disturbed');
  return holds(HOME, 'it left with code 2');
}

async function deleted(stage: Stage, holder: number): Promise<Outcome> {
  rmSync(lockPath(stage.root), { force: true });
  const contender = await stage.coppice(['serve']);
  const back = await stage.until(async () => (await stage.supervisor())?.pid ?? null, 10_000);
  if (!contender.ok || contender.code !== HELD) return fails(DELETED, 'another supervisor got in');
  return back === holder
    ? holds(DELETED, `pid ${holder} has put it back`)
    : fails(DELETED, `${back === null ? 'nobody' : `pid ${back}`} holds the workspace now`);
}

/** A lock whose maker is gone: nobody has this pid with this start time. */
function staleLock(stage: Stage): unknown {
  return {
    pid: 2 ** 22 - 1,
    startTime: '1',
    bootId: bootId(),
    hostname: 'drill',
    pidNamespace: null,
    endpoint: `${stage.stateDir}/none.sock`,
    stateDir: stage.stateDir,
    version: 'drill',
    startedAt: 0,
    limits: { maxHeapMb: 0 },
    nonce: 'drill',
  };
}
