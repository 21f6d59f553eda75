import { liveness } from '../process/identity.ts';
import { readJournal } from '../store/journal.ts';
import type { JournalEvent, TreeRecord } from '../store/types.ts';

/** An end is told moments before its supervisor dies, if at all; what came after it in the journal is little. */
const LATEST_EVENTS = 2_000;

/**
 * Ends of recorded services that the journal has and the registry does not: the supervisor was killed between the two.
 * They are counted again, as that was lost, and not told again. Each as `<name>/<incarnation>`.
 */
export function endsTold(stateDir: string, records: readonly TreeRecord[]): Set<string> {
  const ended = records.filter((record) => record.role === 'service' && liveness(record.tree.leader) !== 'alive');
  if (ended.length === 0) return new Set();
  const events = readQuietly(stateDir);
  const told = ended.filter((record) => {
    const { pid, startTime } = record.tree.leader;
    const started = events.findLastIndex((event) => event.pid === pid && event.startTime === startTime);
    return events.some((event, index) => index > started && isEndOf(event, record));
  });
  return new Set(told.map(keyOf));
}

export function keyOf({ name, incarnation }: { readonly name?: unknown; readonly incarnation?: unknown }): string {
  return `${String(name)}/${String(incarnation)}`;
}

function isEndOf(event: JournalEvent, { name, incarnation }: TreeRecord): boolean {
  return event.event === 'service_exited' && event.name === name && event.incarnation === incarnation;
}

/** Without its journal a successor tells what it counts. */
function readQuietly(stateDir: string): readonly JournalEvent[] {
  try {
    return readJournal(stateDir, { limit: LATEST_EVENTS }).events;
  } catch {
    return [];
  }
}
