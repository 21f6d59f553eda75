/** Sessions in words. Pure. */
import type { ReapResult, SessionStatus } from '../api/protocol.ts';
import { formatDuration } from '../text/units.ts';
import { oneLine } from './width.ts';

/** `up-12-x (terminal), has left: what it started is ended in 4m: web, api`. */
export function sessionLine(status: SessionStatus): string {
  const owns = status.owns.length === 0 ? 'nothing belongs to it' : status.owns.map(oneLine).join(', ');
  return `${oneLine(status.session)} (${status.holder}), ${standing(status)}: ${owns}`;
}

/** `null` for a session that is known. */
export function unknownSession({ session, known, sessions }: ReapResult): string | null {
  if (known) return null;
  const others = sessions.filter((one) => one.session !== session);
  const list = others.length === 0 ? 'There are none.' : ['There are:', ...others.map(sessionLine)].join('\n  ');
  return `there is no session ${oneLine(session)}, and so nothing to end. ${list}`;
}

/** What goes on, and for whom. */
export function handoverLines({ handedOver }: Pick<ReapResult, 'handedOver'>): string[] {
  return handedOver.map(({ name, to }) =>
    to === 'configuration'
      ? `  ${oneLine(name)} runs on: it belongs to the workspace now`
      : `  ${oneLine(name)} runs on: it belongs to session ${oneLine(to)} now, which needs it`,
  );
}

function standing({ state, leftMs }: SessionStatus): string {
  switch (state) {
    case 'held':
      return 'connected';
    case 'lingering':
      return 'not connected, but its process lives';
    case 'leaving':
      return `gone; what belongs to it is ended in ${formatDuration(leftMs ?? 0)} unless it comes back`;
    case 'ending':
      return 'over; what belongs to it is being ended';
    default:
      return state satisfies never;
  }
}
