import type { ApiServer } from '../api/server.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { prepareEndpoint } from '../store/endpoint.ts';

const told = '';

/** How often the socket's name is looked at. */
export const REACH_PERIOD_MS = 2_000;

/** Puts back a socket that somebody removed, with its folder: nobody could ask for anything any more, not even for the end. */
export async function keepReachable(server: ApiServer, host: WorkspaceHost, endpoint: string): Promise<void> {
  if (!server.isUnreachable || !host.holds()) return;
  const refusal = prepareEndpoint(endpoint, host.id);
  let failure = refusal?.detail ?? null;
  try {
    if (failure === null) await server.listenAgain();
  } catch (error) {
    failure = (error as Error).message;
  }
  host.journal('health_warn', {
    reason: 'endpoint_removed',
    detail:
      failure === null ? 'the socket had been removed; it listens again' : `the socket was removed, and ${failure}`,
  });
}
