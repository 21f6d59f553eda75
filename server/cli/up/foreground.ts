import { type Interrupt, interruptCode, watchInterrupts } from '../interrupt.ts';
import { LivePanel } from '../live.ts';
import { describeHolder } from '../messages.ts';
import { statusLines } from '../statusLines.ts';
import { type Context, Exit } from '../verb.ts';
import { oneLine } from '../width.ts';
import { holderOf } from '../workspace.ts';
import { sayProgress } from './progress.ts';
import { sayRejected } from './rejected.ts';
import { goneText, reportSettled } from './report.ts';
import type { UpRequest } from './request.ts';
import { sayReturns } from './returns.ts';
import { stopAll } from './stopAll.ts';
import { allAtRest, judgeUp } from './verdict.ts';

/** A restart passes through `stopped` for a moment; only rest that lasts is an end. */
const REST_MS = 700;

/** Everything goes on meanwhile; only this view of it is held up. */
const WAITING = 'Waiting for its successor ...';

const HOW_TO_END = 'Ctrl-C stops everything and proves it.';

type End =
  | { readonly kind: 'interrupt'; readonly signal: Interrupt }
  | { readonly kind: 'gone' }
  | { readonly kind: 'rest' };

/** `up` in the foreground: shows what runs until it is interrupted or nothing is left to show. */
export async function runForeground(context: Context, request: UpRequest): Promise<number> {
  const { terminal } = context;
  const { client, workspace, feed, wanted, started } = request;
  const interrupts = watchInterrupts();
  const view = openView(context, request);
  const end = await Promise.race([
    interrupts.first.then((signal): End => ({ kind: 'interrupt', signal })),
    untilRest(request),
  ]);
  view.close();
  switch (end.kind) {
    case 'gone':
      interrupts.end();
      return endedElsewhere(context, request);
    case 'rest': {
      const verdict = judgeUp(feed.status, wanted);
      const good = verdict.kind === 'settled' && reportSettled(context, request, { outcome: 'settled', verdict });
      const completed = feed.status.services.every((one) => !wanted.has(one.name) || one.state === 'completed');
      terminal.say(completed ? 'All services have completed.' : 'Nothing that was asked for runs any more.');
      const stopped = await stopAll(context, { client, workspace, feed, wanted, started, interrupts });
      interrupts.end();
      if (!stopped.ok) return stopped.code;
      return good && !stopped.survivors ? Exit.done : Exit.failed;
    }
    case 'interrupt': {
      const stopped = await stopAll(context, { client, workspace, feed, wanted, started, interrupts });
      interrupts.end();
      if (!stopped.ok) return stopped.code;
      return stopped.survivors ? Exit.failed : interruptCode(end.signal);
    }
    default:
      return end satisfies never;
  }
}

async function untilRest({ feed, wanted }: UpRequest): Promise<End> {
  for (;;) {
    await feed.until(() => allAtRest(feed.status, wanted));
    if (feed.closed) return { kind: 'gone' };
    const lasting = AbortSignal.timeout(REST_MS);
    await feed.until(() => !allAtRest(feed.status, wanted), lasting);
    if (feed.closed) return { kind: 'gone' };
    if (allAtRest(feed.status, wanted)) return { kind: 'rest' };
  }
}

/** `down` from another terminal, a supervisor that was lost for good, or one that lost the workspace. */
async function endedElsewhere(context: Context, request: UpRequest): Promise<number> {
  const { client, workspace } = request;
  const end = client.end ?? { kind: 'closed' };
  switch (end.kind) {
    case 'ended':
      context.terminal.say('The workspace was taken down by another client.');
      return Exit.done;
    case 'moved': {
      const holder = await holderOf(workspace);
      const who = holder === null ? `pid ${end.holder}` : describeHolder(holder);
      context.terminal.say(
        `coppice: the supervisor (pid ${end.pid}) has lost the workspace; ${who} holds it now: ${oneLine(end.detail)}`,
      );
      return Exit.lockLost;
    }
    case 'no_successor':
    case 'closed':
      context.terminal.say(`coppice: ${goneText(request)}`);
      return Exit.failed;
    default:
      return end satisfies never;
  }
}

/** What no table shows. Returns what ends it. */
function sayNews({ client }: UpRequest, say: (text: string) => void): () => void {
  const quiet = [sayReturns(client, say), sayRejected(client.hello.workspace.stateDir, say)];
  return () => {
    for (const end of quiet) end();
  };
}

interface View {
  close(): void;
}

/** A table repainted in place on a terminal, a line a change elsewhere. */
function openView(context: Context, request: UpRequest): View {
  const { terminal } = context;
  const { feed, wanted } = request;
  if (context.json || !terminal.live) {
    const quiet = sayNews(request, (text) => terminal.say(text));
    const print = (): void => terminal.print(JSON.stringify(feed.status));
    if (context.json) print();
    const unlisten = context.json ? feed.onChange(print) : sayProgress(context, feed, wanted);
    if (!context.json) terminal.say('Ctrl-C stops everything.');
    return {
      close: () => {
        quiet();
        unlisten();
      },
    };
  }
  const panel = new LivePanel(terminal, () => [
    ...statusLines(feed.status, terminal, { session: request.session, lost: feed.lost || feed.closed }),
    ...(feed.closed ? [] : [terminal.paint('dim', feed.lost ? WAITING : HOW_TO_END)]),
  ]);
  const quiet = sayNews(request, (text) => terminal.say(text));
  panel.touch();
  const unlisten = feed.onChange(() => panel.touch());
  // Durations in the table go on without any change of state.
  const ticking = setInterval(() => panel.touch(), 1000);
  return {
    close: () => {
      clearInterval(ticking);
      quiet();
      unlisten();
      panel.end();
    },
  };
}
