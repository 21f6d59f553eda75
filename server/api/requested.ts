import type { WorkspaceHost } from '../service/host.ts';
import type { HelloParams, RequestName, Requests } from './protocol.ts';

/**
 * Writes down who asked for a change, before anything of it is done: whatever the journal says next of a service can
 * then be traced to a terminal, an editor or an agent. Questions change nothing and are not recorded.
 */
export function journalRequest<Name extends RequestName>(
  host: Pick<WorkspaceHost, 'journal'>,
  verb: Name,
  params: Requests[Name][0],
  client: HelloParams['client'] | null,
): void {
  if (!CHANGES[verb]) return;
  const names =
    'names' in params
      ? { names: params.names }
      : verb === 'execStop' && 'id' in params
        ? { names: [`exec-${params.id}`] }
        : {};
  const session = 'session' in params && verb === 'reap' ? { session: params.session } : {};
  const by = client === null ? null : { kind: client.kind, pid: client.pid, session: client.session };
  host.journal('requested', { verb, ...names, ...session, by });
}

/** Whether a request changes what runs. `exec` is told of where its command is started. */
const CHANGES: Readonly<Record<RequestName, boolean>> = {
  up: true,
  start: true,
  stop: true,
  restart: true,
  reset: true,
  reload: true,
  reap: true,
  down: true,
  exec: false,
  execWait: false,
  execStop: true,
  hello: false,
  status: false,
  wait: false,
  subscribe: false,
};
