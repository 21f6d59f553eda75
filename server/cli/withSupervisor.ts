/** What most verbs share: find the workspace, reach its supervisor, say what is wrong. */
import type { RequestResult } from '../api/client.ts';
import type { RequestName, Requests } from '../api/protocol.ts';
import type { ResilientClient } from '../api/resilient.ts';
import { describeFinding } from '../store/paths.ts';
import { formatDuration } from '../text/units.ts';
import type { CliFailure } from './failures.ts';
import { attach, ensureSupervisor, type LinkResult, openWorkspace, type Workspace } from './link.ts';
import { describeFailure, exitCodeOf } from './messages.ts';
import { rescue } from './rescue.ts';
import { watchSilence } from './silence.ts';
import type { Context } from './verb.ts';

export interface Attached {
  readonly client: ResilientClient;
  readonly workspace: Workspace;
  /** This command started the supervisor. */
  readonly started: boolean;
}

export interface SupervisorNeed {
  /**
   * `start`: start one where there is none. `join`: only one that runs. `resume`: one that runs, or a new one when a
   * supervisor that was killed has left trees running, since a successor adopts them and can end them properly.
   */
  readonly mode: 'start' | 'join' | 'resume';
  /** Lease that what this command starts belongs to. */
  readonly session?: string | null;
  /** What stands behind that session. Default: this terminal. */
  readonly holder?: 'named';
  /** With mode `start`: a connection that is being made already. */
  readonly linked?: Promise<LinkResult>;
  /** Instead of a failure, when nobody holds the workspace (not with mode `start`). */
  readonly without?: (workspace: Workspace) => Promise<number> | number;
  /** What is there to be said of a supervisor that lives and does not answer; the failure itself is said as well. */
  readonly unanswered?: (workspace: Workspace) => Promise<void>;
}

/** Runs `work` with a connection that is closed afterwards; any failure to get one is said and ends the verb. */
export async function withSupervisor(
  context: Context,
  need: SupervisorNeed,
  work: (attached: Attached) => Promise<number>,
): Promise<number> {
  const opened = openWorkspace(context);
  if (!opened.ok) return fail(context, opened.failure);
  const { workspace } = opened;
  if (need.mode === 'start')
    for (const one of workspace.findings) context.terminal.say(`coppice: ${describeFinding(one)}`);
  const named = need.holder === undefined ? {} : { holder: need.holder };
  const quick = need.unanswered !== undefined;
  const inGap = need.mode === 'join' ? ('wait' as const) : ('return' as const);
  const options = { session: need.session ?? null, ...named, environment: context.environment, quick, inGap };
  const linking =
    need.mode === 'start' ? (need.linked ?? ensureSupervisor(workspace, options)) : attach(workspace, options);
  let linked = await sayWaiting(context, linking, () => 'still waiting for the supervisor to answer');
  if (!linked.ok && linked.failure.reason === 'no_supervisor' && need.mode === 'resume') {
    const { liveRecordedTrees } = await import('./offline.ts');
    // A successor that is on its way would start again what was wanted and happens not to run at this moment.
    const resumes = linked.failure.gap === 'coming' || liveRecordedTrees(workspace).length > 0;
    if (resumes) linked = await ensureSupervisor(workspace, options);
  }
  if (!linked.ok) {
    if (linked.failure.reason === 'no_supervisor' && need.without !== undefined) return need.without(workspace);
    if (linked.failure.reason === 'unreachable') await need.unanswered?.(workspace);
    return fail(context, linked.failure);
  }
  const quiet = watchSilence(linked.client, (text) => context.terminal.say(text));
  // Who may start a supervisor may start the next one as well.
  const leave = need.mode === 'start' ? rescue(context, linked.client, workspace) : null;
  try {
    return await work({ client: linked.client, workspace, started: linked.started });
  } finally {
    leave?.();
    quiet();
    linked.client.close();
  }
}

export function fail(context: Context, failure: CliFailure): number {
  context.terminal.say(`coppice: ${describeFailure(failure)}`);
  return exitCodeOf(failure);
}

/**
 * A request whose answer may rightly take long, such as a stop that waits for every `stopTimeout`. Says that it is
 * still waiting, and gives up in the end rather than hang for ever on a supervisor that is stuck.
 */
export async function patientRequest<Name extends RequestName>(
  context: Context,
  client: ResilientClient,
  name: Name,
  params: Requests[Name][0],
): Promise<RequestResult<Requests[Name][1]>> {
  const what = (): string =>
    client.searching
      ? `the supervisor was lost during "${name}", its successor is still waited for`
      : `still waiting for "${name}" (supervisor pid ${client.hello.pid})`;
  return sayWaiting(context, client.request(name, params, { timeoutMs: PATIENCE_MS }), what);
}

/** Says every few seconds what is waited for. */
async function sayWaiting<T>(context: Context, event: Promise<T>, what: () => string): Promise<T> {
  const began = performance.now();
  const notice = setInterval(
    () => context.terminal.say(`${what()}: ${formatDuration(performance.now() - began)}`),
    NOTICE_EVERY_MS,
  );
  try {
    return await event;
  } finally {
    clearInterval(notice);
  }
}

/**
 * For what has to be ended: where the supervisor was lost and no successor has come by itself, one is started, which
 * finds what runs and can end it. `by`: who answered.
 */
export async function requestEnd<Name extends 'down' | 'stop' | 'reap' | 'execStop'>(
  context: Context,
  { client, workspace }: Pick<Attached, 'client' | 'workspace'>,
  name: Name,
  params: Requests[Name][0],
): Promise<{ readonly answer: RequestResult<Requests[Name][1]>; readonly by: number }> {
  client.hurry();
  const answer = await patientRequest(context, client, name, params);
  if (answer.ok || answer.failure.reason !== 'no_successor') return { answer, by: client.hello.pid };
  const linked = await ensureSupervisor(workspace, { session: null, environment: context.environment });
  if (!linked.ok) return { answer, by: client.hello.pid };
  try {
    const again = await patientRequest(context, linked.client, name, params);
    return { answer: again.ok ? { ...again, repeated: true } : again, by: linked.client.hello.pid };
  } finally {
    linked.client.close();
  }
}

const NOTICE_EVERY_MS = 5_000;
const PATIENCE_MS = 600_000;
