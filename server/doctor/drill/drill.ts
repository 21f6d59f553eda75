/**
 * Breaks what may break, on purpose, in scratch workspaces on this very machine, and says which guarantees hold here.
 * Each drill has a workspace and a supervisor of its own, which are gone when it is over, however it ends.
 */
import { drillClaim } from './claim.ts';
import { drillEnvironment } from './environment.ts';
import { drillEscapees } from './escapees.ts';
import { drillExec, drillPact } from './lostMidway.ts';
import { Stage } from './stage.ts';
import { drillCrashLoop, drillDeafTree } from './stops.ts';
import { drillStranger } from './stranger.ts';
import { drillSupervisorKilled } from './supervisorKilled.ts';
import { drillTornJournal } from './tornJournal.ts';
import { type DrillOptions, type DrillReport, fails, type Outcome, type Outcomes, type TimedOutcome } from './types.ts';

export interface Drill {
  readonly what: string;
  readonly run: (stage: Stage) => Outcomes;
}

const DRILLS: readonly Drill[] = [
  { what: 'killing a supervisor', run: drillSupervisorKilled },
  { what: 'killing a supervisor while a command is waited for', run: drillExec },
  { what: 'killing a supervisor and its guardian', run: drillPact },
  { what: 'letting processes escape', run: drillEscapees },
  { what: 'stopping what does not listen', run: drillDeafTree },
  { what: 'giving a recorded pid to a stranger', run: drillStranger },
  { what: 'starting supervisors against each other, and deleting the lock', run: drillClaim },
  { what: 'tearing the journal', run: drillTornJournal },
  { what: 'crashing again and again', run: drillCrashLoop },
  { what: 'starting under marks of every host', run: drillEnvironment },
];

/** `drills`: others, for tests. */
export async function runDrill(options: DrillOptions, drills: readonly Drill[] = DRILLS): Promise<DrillReport> {
  const guarantees: TimedOutcome[] = [];
  const leftovers: string[] = [];
  for (const drill of drills) {
    if (options.signal.aborted) break;
    options.onBegin?.(drill.what);
    const stage = new Stage(options);
    let began = performance.now();
    const tell = (outcome: Outcome): void => {
      // What an interrupted drill saw says nothing.
      if (options.signal.aborted) return;
      const timed = { ...outcome, ms: Math.round(performance.now() - began) };
      began = performance.now();
      guarantees.push(timed);
      options.onOutcome?.(timed);
    };
    try {
      for await (const outcome of drill.run(stage)) {
        tell(outcome);
        if (options.signal.aborted) break;
      }
    } catch (error) {
      tell(fails(drill.what, `the drill itself failed: ${(error as Error).message}`));
    } finally {
      leftovers.push(...(await stage.cleanUp()));
    }
  }
  const interrupted = options.signal.aborted;
  const broken = guarantees.some((one) => one.verdict === 'does_not_hold');
  return { ok: !broken && leftovers.length === 0 && !interrupted, interrupted, guarantees, leftovers };
}
