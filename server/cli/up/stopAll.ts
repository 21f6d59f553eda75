/** How an `up` in the foreground ends what it brought up, and proves it. */

import { endedSince } from '../earlier.ts';
import type { InterruptWatch } from '../interrupt.ts';
import { type EarlierTree, hasSurvivors, type ProvenTree, proofLines } from '../proof.ts';
import { takeDown } from '../takeDown.ts';
import type { Context } from '../verb.ts';
import { type Attached, fail, requestEnd } from '../withSupervisor.ts';
import type { StatusFeed } from './follow.ts';
import { othersRunning } from './verdict.ts';

export type StopOutcome =
  | { readonly ok: true; readonly survivors: boolean; readonly trees: readonly ProvenTree[] }
  | { readonly ok: false; readonly code: number };

export interface StopRequest extends Pick<Attached, 'client' | 'workspace'> {
  readonly feed: StatusFeed;
  /** Names that the `up` asked for. */
  readonly wanted: ReadonlySet<string>;
  /** This `up` started the supervisor, and so ends it. */
  readonly started: boolean;
  readonly interrupts: InterruptWatch;
}

/** Everything, when this `up` started the supervisor or nothing else runs; otherwise just what it asked for. */
export async function stopAll(context: Context, request: StopRequest): Promise<StopOutcome> {
  const { feed, wanted, interrupts } = request;
  const { terminal } = context;
  const everything = request.started || !othersRunning(feed.status, wanted);
  interrupts.onRepeat(() =>
    terminal.say('Already stopping; what does not end by itself is killed when its stopTimeout is over.'),
  );
  terminal.say(
    everything
      ? 'Stopping everything ...'
      : `Stopping ${[...wanted].join(', ')}; the rest is not of this command and stays ...`,
  );
  const unlisten = sayStops(context, request);
  const stopped = everything ? await stopEverything(context, request) : await stopNames(context, request);
  unlisten();
  if (!stopped.ok) return stopped;
  for (const line of context.json ? [] : proofLines(stopped.trees, stopped.earlier)) terminal.print(line);
  return { ok: true, survivors: hasSurvivors(stopped.trees), trees: stopped.trees };
}

type Stopped =
  | { readonly ok: true; readonly trees: readonly ProvenTree[]; readonly earlier: readonly EarlierTree[] }
  | { readonly ok: false; readonly code: number };

async function stopEverything(context: Context, request: StopRequest): Promise<Stopped> {
  const done = await takeDown(context, request);
  if (!done.ok) return { ok: false, code: fail(context, done.failure) };
  return { ok: true, trees: done.value.trees, earlier: done.earlier };
}

async function stopNames(context: Context, request: StopRequest): Promise<Stopped> {
  const since = Date.now();
  const { answer } = await requestEnd(context, request, 'stop', { names: [...request.wanted] });
  if (!answer.ok) return { ok: false, code: fail(context, answer.failure) };
  const trees = answer.value.outcomes.flatMap(({ name, proof }) => (proof === null ? [] : [{ name, proof }]));
  const untold = (name: string): boolean => request.wanted.has(name) && !trees.some((tree) => tree.name === name);
  const { stateDir } = request.client.hello.workspace;
  const earlier = answer.repeated === true ? endedSince(stateDir, since).filter((one) => untold(one.name)) : [];
  return { ok: true, trees, earlier };
}

/** One line as each service comes to rest. */
function sayStops(context: Context, { feed }: StopRequest): () => void {
  const running = new Set(
    feed.status.services.filter((one) => one.pid !== null || one.state === 'backoff').map((one) => one.name),
  );
  return feed.onChange(() => {
    for (const service of feed.status.services) {
      if (service.pid !== null || service.state === 'stopping' || !running.delete(service.name)) continue;
      context.terminal.say(`  ${service.name} has ended`);
    }
  });
}
