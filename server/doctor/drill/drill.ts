/**
 * Breaks what may break, on purpose, in scratch workspaces on this very machine, and says which guarantees hold here.
 * Each drill has a workspace and a supervisor of its own, which are gone when it is over, however it ends.
 */
import { drillClaim } from './claim.ts';
import { drillEnvironment } from './environment.ts';
import { drillEscapees } from './escapees.ts';
import { Stage } from './stage.ts';
import { drillCrashLoop, drillDeafTree } from './stops.ts';
import { drillStranger } from './stranger.ts';
import { drillSupervisorKilled } from './supervisorKilled.ts';
import { drillTornJournal } from './tornJournal.ts';
import type { DrillOptions, DrillReport, Outcome, TimedOutcome } from './types.ts';

interface Drill {
  readonly what: string;
  readonly run: (stage: Stage) => Promise<Outcome[]>;
}

const DRILLS: readonly Drill[] = [
  { what: 'killing a supervisor', run: drillSupervisorKilled },
  { what: 'letting processes escape', run: drillEscapees },
  { what: 'stopping what does not listen', run: drillDeafTree },
  { what: 'giving a recorded pid to a stranger', run: drillStranger },
  { what: 'starting supervisors against each other, and deleting the lock', run: drillClaim },
  { what: 'tearing the journal', run: drillTornJournal },
  { what: 'crashing again and again', run: drillCrashLoop },
  { what: 'starting under marks of every host', run: drillEnvironment },
];

export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const guarantees: TimedOutcome[] = [];
  const leftovers: string[] = [];
  for (const drill of DRILLS) {
    if (options.signal.aborted) break;
    options.onBegin?.(drill.what);
    const began = performance.now();
    const stage = new Stage(options);
    let outcomes: Outcome[];
    try {
      outcomes = await drill.run(stage);
    } catch (error) {
      outcomes = [{ guarantee: drill.what, verdict: 'does_not_hold', why: (error as Error).message }];
    } finally {
      leftovers.push(...(await stage.cleanUp()));
    }
    // What an interrupted drill saw says nothing.
    if (options.signal.aborted) break;
    const ms = Math.round(performance.now() - began);
    for (const outcome of outcomes) {
      const timed = { ...outcome, ms };
      guarantees.push(timed);
      options.onOutcome?.(timed);
    }
  }
  const interrupted = options.signal.aborted;
  const broken = guarantees.some((one) => one.verdict === 'does_not_hold');
  return { ok: !broken && leftovers.length === 0 && !interrupted, interrupted, guarantees, leftovers };
}
