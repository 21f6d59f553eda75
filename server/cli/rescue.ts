import { prospectOf } from '../api/prospect.ts';
import type { ResilientClient } from '../api/resilient.ts';
import { ensureSupervisor } from './link.ts';
import type { Context } from './verb.ts';
import type { Workspace } from './workspace.ts';

/** A guardian brings a successor sooner; one that was killed a moment ago may not be seen to be gone yet. */
const LOOK_MS = 1_000;

/**
 * Starts a supervisor where the one before was lost and its guardian with it: whoever watches over a workspace does not
 * stand by. A guardian that has given up is left to be: it has tried. Returns what ends it.
 */
export function rescue(context: Context, client: ResilientClient, workspace: Workspace): () => void {
  let searched = false;
  let starting = false;
  const look = async (): Promise<void> => {
    const isLasting = searched && client.searching;
    searched = client.searching;
    if (!isLasting || starting || prospectOf(workspace.stateDir) !== 'unknown') return;
    starting = true;
    const linked = await ensureSupervisor(workspace, { session: null, environment: context.environment });
    if (linked.ok) linked.client.close();
    starting = false;
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
