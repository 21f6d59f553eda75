import type { JournalEvent } from '../../store/types.ts';
import { oneLine } from '../width.ts';

/** Says when a configuration that was saved is wrong. Returns what ends it. */
export function sayRejected(stateDir: string, say: (text: string) => void): () => void {
  const end = new AbortController();
  void follow(stateDir, say, end.signal).catch(() => {
    // A journal that cannot be read is the affair of `events` and `doctor`; the view goes on.
  });
  return () => end.abort();
}

/** Loaded when the view stands: nothing that `up` waits for needs it. */
async function follow(stateDir: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const { followJournal } = await import('../../store/journalFollow.ts');
  await followJournal(stateDir, {
    sinceSeq: Number.POSITIVE_INFINITY,
    signal,
    onEvent: (event) => {
      if (event.event === 'configuration_rejected') say(rejectedText(event));
    },
  });
}

function rejectedText({ findings, place, first }: JournalEvent): string {
  const more = typeof findings === 'number' && findings > 1 ? ` (and ${findings - 1} more)` : '';
  const where = typeof place === 'string' ? `${oneLine(place)}: ` : '';
  return `The configuration is wrong, the one before stays in force: ${where}${oneLine(String(first ?? ''))}${more}`;
}
