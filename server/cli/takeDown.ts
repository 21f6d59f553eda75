/** `down` and the end of a foreground `up`: ask for the end of everything, and wait until it has come. */
import type { RequestFailure } from '../api/client.ts';
import type { DownResult } from '../api/protocol.ts';
import { readLock } from '../store/holder.ts';
import type { EarlierTree } from './proof.ts';
import type { Context } from './verb.ts';
import { type Attached, requestEnd } from './withSupervisor.ts';

/** The supervisor has only its own files to close by then. */
const END_PATIENCE_MS = 5_000;
const PAUSE_MS = 10;

export type TakeDown =
  | {
      readonly ok: true;
      readonly value: DownResult;
      /** What a supervisor that was lost meanwhile had ended already. */
      readonly earlier: readonly EarlierTree[];
    }
  | { readonly ok: false; readonly failure: RequestFailure };

/**
 * Stops everything and resolves once the supervisor has released the workspace too, so that the next command finds
 * none instead of one that is about to go.
 */
export async function takeDown(context: Context, attached: Pick<Attached, 'client' | 'workspace'>): Promise<TakeDown> {
  const since = Date.now();
  const { client } = attached;
  const { stateDir } = client.hello.workspace;
  const { answer, by } = await requestEnd(context, attached, 'down', {});
  if (answer.ok) {
    await untilReleased(attached.workspace.root, by);
    if (answer.repeated !== true) return { ok: true, value: answer.value, earlier: [] };
    const told = new Set(answer.value.trees.map((tree) => tree.name));
    return {
      ok: true,
      value: answer.value,
      earlier: (await ended(stateDir, since)).filter((one) => !told.has(one.name)),
    };
  }
  // The supervisor has ended of itself, or a successor has finished what the one before had begun: whoever asked for it,
  // it is done when nothing that is on record lives.
  if (answer.failure.reason !== 'ended') return answer;
  const { liveRecordedTrees } = await import('./offline.ts');
  if (liveRecordedTrees({ ...attached.workspace, stateDir }).length > 0) return answer;
  return { ok: true, value: { trees: [] }, earlier: await ended(stateDir, since) };
}

async function ended(stateDir: string, since: number): Promise<EarlierTree[]> {
  const { endedSince } = await import('./earlier.ts');
  return endedSince(stateDir, since);
}

async function untilReleased(root: string, pid: number): Promise<void> {
  const deadline = performance.now() + END_PATIENCE_MS;
  while (performance.now() < deadline) {
    const { lock, verdict } = await readLock(root);
    if (lock?.pid !== pid || verdict === 'stale') return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
