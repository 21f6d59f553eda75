import { readJournal } from '../store/journal.ts';
import { isLeftover } from '../store/leftover.ts';
import type { JournalEvent, TreeRecord } from '../store/types.ts';

/** A start is told at once unless its supervisor dies in that moment; what others did meanwhile is little. */
const LATEST_EVENTS = 2_000;

/**
 * Recorded services whose start the journal does not have: the supervisor was killed between the launch and the word
 * of it. Only where the journal reaches back beyond the start can it be told that it is missing.
 */
export function startsUntold(stateDir: string, records: readonly TreeRecord[]): readonly TreeRecord[] {
  const services = records.filter((record) => record.role === 'service' && !isLeftover(record.key));
  if (services.length === 0) return [];
  const events = readQuietly(stateDir);
  return untoldOf(services, events);
}

/** Pure. */
export function untoldOf(services: readonly TreeRecord[], events: readonly JournalEvent[]): readonly TreeRecord[] {
  const [oldest] = events;
  if (oldest === undefined) return [];
  const told = new Set(events.filter(isStart).map(({ pid, startTime }) => `${pid} ${startTime}`));
  return services.filter(({ tree, startedAt }) => {
    return startedAt > oldest.at && !told.has(`${tree.leader.pid} ${tree.leader.startTime}`);
  });
}

function isStart({ event }: JournalEvent): boolean {
  return event === 'service_spawned' || event === 'adopted';
}

/** Without its journal nobody can say what was told. */
function readQuietly(stateDir: string): readonly JournalEvent[] {
  try {
    return readJournal(stateDir, { limit: LATEST_EVENTS }).events;
  } catch {
    return [];
  }
}
