import type { ApiServer } from '../api/server.ts';
import type { WorkspaceHost } from '../service/host.ts';
import { prepareEndpoint } from '../store/endpoint.ts';

let told = '';

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
  const detail = failure === null ? 'it was removed, and is there again' : `it was removed, and ${failure}`;
  // Tried again and again, and news but once.
  if (failure === null || detail !== told) host.journal('health_warn', { reason: 'endpoint_removed', detail });
  told = detail;
}
