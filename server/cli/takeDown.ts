/** `down` and the end of a foreground `up`: ask for the end of everything, and wait until it has come. */
import type { RequestResult, SupervisorClient } from '../api/client.ts';
import type { DownResult } from '../api/protocol.ts';
import { readLock } from '../store/holder.ts';
import type { Context } from './verb.ts';
import { patientRequest } from './withSupervisor.ts';

/** The supervisor has only its own files to close by then. */
const END_PATIENCE_MS = 5_000;
const PAUSE_MS = 10;

/**
 * Stops everything and resolves once the supervisor has released the workspace too, so that the next command finds
 * none instead of one that is about to go.
 */
export async function takeDown(context: Context, client: SupervisorClient): Promise<RequestResult<DownResult>> {
  const answer = await patientRequest(context, client, 'down', {});
  if (answer.ok) await untilReleased(client);
  return answer;
}

async function untilReleased({ hello }: SupervisorClient): Promise<void> {
  const deadline = performance.now() + END_PATIENCE_MS;
  while (performance.now() < deadline) {
    const { lock, verdict } = await readLock(hello.workspace.root);
    if (lock?.pid !== hello.pid || verdict === 'stale') return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
