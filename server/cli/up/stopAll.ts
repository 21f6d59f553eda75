/** How an `up` in the foreground ends what it brought up, and proves it. */
import type { SupervisorClient } from '../../api/client.ts';
import type { InterruptWatch } from '../interrupt.ts';
import { hasSurvivors, type ProvenTree, proofLines } from '../proof.ts';
import { takeDown } from '../takeDown.ts';
import type { Context } from '../verb.ts';
import { fail, patientRequest } from '../withSupervisor.ts';
import type { StatusFeed } from './follow.ts';
import { othersRunning } from './verdict.ts';

export type StopOutcome =
  | { readonly ok: true; readonly survivors: boolean; readonly trees: readonly ProvenTree[] }
  | { readonly ok: false; readonly code: number };

export interface StopRequest {
  readonly client: SupervisorClient;
  readonly feed: StatusFeed;
  /** Names that the `up` asked for. */
  readonly wanted: ReadonlySet<string>;
  /** This `up` started the supervisor, and so ends it. */
  readonly started: boolean;
  readonly interrupts: InterruptWatch;
}

/** Everything, when this `up` started the supervisor or nothing else runs; otherwise just what it asked for. */
export async function stopAll(context: Context, request: StopRequest): Promise<StopOutcome> {
  const { client, feed, wanted, interrupts } = request;
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
  const stopped = everything ? await stopEverything(context, client) : await stopNames(context, client, wanted);
  unlisten();
  if (!stopped.ok) return stopped;
  for (const line of context.json ? [] : proofLines(stopped.trees)) terminal.print(line);
  return { ok: true, survivors: hasSurvivors(stopped.trees), trees: stopped.trees };
}

type Stopped =
  | { readonly ok: true; readonly trees: readonly ProvenTree[] }
  | { readonly ok: false; readonly code: number };

async function stopEverything(context: Context, client: SupervisorClient): Promise<Stopped> {
  const answer = await takeDown(context, client);
  return answer.ok ? { ok: true, trees: answer.value.trees } : { ok: false, code: fail(context, answer.failure) };
}

async function stopNames(context: Context, client: SupervisorClient, names: ReadonlySet<string>): Promise<Stopped> {
  const answer = await patientRequest(context, client, 'stop', { names: [...names] });
  if (!answer.ok) return { ok: false, code: fail(context, answer.failure) };
  return {
    ok: true,
    trees: answer.value.outcomes.flatMap(({ name, proof }) => (proof === null ? [] : [{ name, proof }])),
  };
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
