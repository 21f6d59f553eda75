/** What a supervisor that was lost had ended before it could say so. */
import { readJournal } from '../store/journalRead.ts';
import type { EarlierTree } from './proof.ts';

/** As many as the largest workspaces end at once, several times over. */
const MOST_EVENTS = 20_000;

/**
 * Trees that the journal says were ended since a moment (epoch milliseconds), one entry a name. A journal that cannot be
 * read says nothing.
 */
export function endedSince(stateDir: string, since: number): EarlierTree[] {
  const confirmed = new Map<string, number>();
  try {
    for (const event of readJournal(stateDir, { limit: MOST_EVENTS }).events) {
      if (event.at < since || event.event !== 'tree_reaped') continue;
      if (typeof event.name !== 'string' || typeof event.confirmed !== 'number') continue;
      confirmed.set(event.name, (confirmed.get(event.name) ?? 0) + event.confirmed);
    }
  } catch {
    return [];
  }
  return [...confirmed].map(([name, count]) => ({ name, confirmed: count }));
}
