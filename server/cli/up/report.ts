/** What `up` says about services that did not get ready. */
import type { ServiceStatus } from '../../api/protocol.ts';
import { formatDuration } from '../../text/units.ts';
import { describeFailure } from '../messages.ts';
import { stateLine } from '../table.ts';
import type { Context } from '../verb.ts';
import { oneLine } from '../width.ts';
import type { UpRequest } from './request.ts';
import type { SettleResult } from './settle.ts';

/** Says why not all is ready; `true` when all is. An abort is the caller's own doing and is not spoken of. */
export function reportSettled(context: Context, request: UpRequest, result: SettleResult): boolean {
  switch (result.outcome) {
    case 'settled':
      for (const service of result.verdict.notReady) context.terminal.say(notReadyText(service));
      return result.verdict.notReady.length === 0 && request.refused.length === 0;
    case 'timeout': {
      const late = request.feed.status.services.filter(
        (one) => request.wanted.has(one.name) && one.state !== 'ready' && one.state !== 'completed',
      );
      context.terminal.say(`coppice: not ready within ${formatDuration(request.timeoutMs)} (--timeout):`);
      for (const service of late) context.terminal.say(`  ${stateLine(service)}`);
      return false;
    }
    case 'gone':
      context.terminal.say(`coppice: ${goneText(request)}`);
      return false;
    case 'aborted':
      return false;
    default:
      return result satisfies never;
  }
}

export function goneText({ client }: UpRequest): string {
  const { pid } = client.hello;
  const end = client.end;
  if (end?.kind === 'no_successor')
    return describeFailure({ reason: 'no_successor', request: 'subscribe', pid, afterMs: end.afterMs, said: end.said });
  return `the supervisor (pid ${pid}) has gone; what it ran may still run: \`coppice ps\` and \`coppice doctor\` show how things stand`;
}

function notReadyText(service: ServiceStatus): string {
  if (service.failure !== null) return `coppice: ${oneLine(service.name)} has failed: ${service.failure}`;
  if (service.state === 'failed') {
    return `coppice: ${service.name} has failed: ${oneLine(service.detail ?? 'a restart budget is spent')}\n  \`coppice logs ${service.name}\` shows its output`;
  }
  return `coppice: ${stateLine(service)}`;
}
