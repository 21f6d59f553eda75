import { readJournal } from '../../store/journalRead.ts';
import { journalPath } from '../../store/paths.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcomes } from './types.ts';

const GUARANTEE = 'a journal whose last line was torn loses no record before or after it';

/** A line without its end, as a full disk or a loss of power leaves it. */
export async function* drillTornJournal(stage: Stage): Outcomes {
  const services = { idle: { command: ['sleep', '100000'] } };
  const trouble = (await stage.up(services)) ?? (await stage.down());
  if (trouble !== null) return yield fails(GUARANTEE, trouble);
  const before = readJournal(stage.stateDir);
  const last = before.events.at(-1)?.seq ?? 0;
  stage.append(journalPath(stage.stateDir), `{"seq":${last + 1},"at":17000`);
  const again = await stage.up(services);
  if (again !== null) return yield fails(GUARANTEE, again);
  const { events, skipped } = readJournal(stage.stateDir);
  const kept = before.events.every((one) => events.some((other) => other.seq === one.seq));
  // It also tells that the line was torn, and may do so before anything else.
  const after = events.filter((one) => one.seq > last);
  const inOrder = after.every((one, index) => one.seq === last + 1 + index);
  if (!kept) return yield fails(GUARANTEE, 'a record before the torn line is gone');
  if (!inOrder || !after.some((one) => one.event === 'supervisor_started'))
    return yield fails(GUARANTEE, 'the record after the torn line cannot be read');
  return yield holds(GUARANTEE, `${events.length} records readable, ${skipped} torn line passed over`);
}
