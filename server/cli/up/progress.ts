import type { ServiceStatus } from '../../api/protocol.ts';
import { stateLine } from '../table.ts';
import type { Context } from '../verb.ts';
import type { StatusFeed } from './follow.ts';

/** A plain line to stderr for each change of state, where no table can be repainted. Returns what ends it. */
export function sayProgress(context: Context, feed: StatusFeed, wanted: ReadonlySet<string>): () => void {
  const said = new Map<string, string>();
  const say = (): void => {
    for (const service of feed.status.services) {
      const key = `${service.state} ${service.incarnation} ${service.blockedBy ?? ''}`;
      if (said.get(service.name) === key || !isWorthSaying(service, said.has(service.name) || wanted.has(service.name)))
        continue;
      said.set(service.name, key);
      context.terminal.say(stateLine(service));
    }
  };
  say();
  return feed.onChange(say);
}

/** A service that merely is not running is no news, unless it was running before or was asked for and waits. */
function isWorthSaying(service: ServiceStatus, ours: boolean): boolean {
  return service.state !== 'stopped' || (ours && service.detail !== null);
}
