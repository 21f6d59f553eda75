import type { ResilientClient } from '../../api/resilient.ts';

/** One calm line each time that a successor has taken over. Returns what ends it. */
export function sayReturns(client: ResilientClient, say: (text: string) => void): () => void {
  return client.onLink((news) => {
    // A connection that was dropped by a supervisor that lives is nobody's concern.
    if (news.kind === 'back' && news.pid !== news.lost) say(`The supervisor was lost and is back (pid ${news.pid}).`);
  });
}
