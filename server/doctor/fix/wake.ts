import { signalProcess } from '../../process/signal.ts';
import { readProcessTableAsync } from '../../process/table.ts';
import type { ProcessIdentity } from '../../process/types.ts';
import type { DoctorFacts } from '../facts.ts';
import type { FixOutcome } from './types.ts';

const PATIENCE_MS = 500;
const LOOK_MS = 20;

/** SIGCONT to a supervisor or guardian of this workspace that is stopped. Whom it reaches is verified the moment before. */
export async function wakeStopped({ supervisors, lock, holder, guardian }: DoctorFacts): Promise<FixOutcome[]> {
  const outcomes: FixOutcome[] = [];
  const stopped = supervisors.find(
    (one) =>
      one.stopped && holder === 'alive' && one.identity.pid === lock?.pid && one.identity.startTime === lock.startTime,
  );
  if (stopped !== undefined) outcomes.push(await wake('supervisors', 'supervisor', stopped.identity));
  if (guardian.kind === 'recorded' && guardian.stopped && guardian.identity !== null) {
    outcomes.push(await wake('guardian', 'guardian', guardian.identity));
  }
  return outcomes;
}

async function wake(check: string, what: string, identity: ProcessIdentity): Promise<FixOutcome> {
  const { pid } = identity;
  const outcome = signalProcess(identity, 'SIGCONT');
  if (outcome !== 'delivered') {
    return { check, done: false, message: `${what} ${pid} was not sent SIGCONT: ${outcome}` };
  }
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const row = (await readProcessTableAsync()).rowOf(identity);
    if (row === null) return { check, done: false, message: `${what} ${pid} has ended meanwhile` };
    if (!/^[Tt]/.test(row.state))
      return { check, done: true, message: `${what} ${pid} was stopped and runs again (SIGCONT)` };
    // A debugger holds it; that is for whoever debugs.
    if (performance.now() > deadline) {
      return { check, done: false, message: `${what} ${pid} is still stopped after SIGCONT: a debugger holds it` };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
