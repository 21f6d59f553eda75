import { readLock } from '../../store/holder.ts';
import type { Holder } from '../failures.ts';
import { type Interrupt, interruptCode, watchInterrupts } from '../interrupt.ts';
import { LivePanel } from '../live.ts';
import { describeHolder } from '../messages.ts';
import { statusLines } from '../statusLines.ts';
import { type Context, Exit } from '../verb.ts';
import { toHolder, type Workspace } from '../workspace.ts';
import { sayProgress } from './progress.ts';
import { goneText, reportSettled } from './report.ts';
import type { UpRequest } from './request.ts';
import { stopAll } from './stopAll.ts';
import { allAtRest, judgeUp } from './verdict.ts';

/** A restart passes through `stopped` for a moment; only rest that lasts is an end. */
const REST_MS = 700;
const RELEASE_PATIENCE_MS = 5000;

type End =
  | { readonly kind: 'interrupt'; readonly signal: Interrupt }
  | { readonly kind: 'gone' }
  | { readonly kind: 'rest' };

/** `up` in the foreground: shows what runs until it is interrupted or nothing is left to show. */
export async function runForeground(context: Context, request: UpRequest): Promise<number> {
  const { terminal } = context;
  const { client, feed, wanted, started } = request;
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
      const stopped = await stopAll(context, { client, feed, wanted, started, interrupts });
      interrupts.end();
      if (!stopped.ok) return stopped.code;
      return good && !stopped.survivors ? Exit.done : Exit.failed;
    }
    case 'interrupt': {
      const stopped = await stopAll(context, { client, feed, wanted, started, interrupts });
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

/** `down` from another terminal, a supervisor that died, or one that lost the workspace: the lock tells which. */
async function endedElsewhere(context: Context, request: UpRequest): Promise<number> {
  const { pid } = request.client.hello;
  const end = await fateOf(pid, request.workspace);
  switch (end.fate) {
    case 'released':
      context.terminal.say('The workspace was taken down by another client.');
      return Exit.done;
    case 'lost':
      context.terminal.say(
        `coppice: the supervisor (pid ${pid}) has lost the workspace; ${describeHolder(end.holder)} holds it now`,
      );
      return Exit.lockLost;
    case 'died':
    case 'unknown':
      context.terminal.say(`coppice: ${goneText(request)}`);
      return Exit.failed;
    default:
      return end satisfies never;
  }
}

type Fate =
  | { readonly fate: 'released' }
  | { readonly fate: 'lost'; readonly holder: Holder }
  | { readonly fate: 'died' }
  /** It lives and does not talk to us. */
  | { readonly fate: 'unknown' };

/** The lock is released last, some moments after the connections were closed. */
async function fateOf(pid: number, workspace: Workspace): Promise<Fate> {
  const deadline = performance.now() + RELEASE_PATIENCE_MS;
  for (;;) {
    const { verdict, lock } = await readLock(workspace.root);
    if (lock === null) return { fate: 'released' };
    if (verdict === 'stale') return { fate: 'died' };
    if (lock.pid !== pid) return { fate: 'lost', holder: toHolder(lock) };
    if (performance.now() > deadline) return { fate: 'unknown' };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface View {
  close(): void;
}

/** A table repainted in place on a terminal, a line a change elsewhere. */
function openView(context: Context, request: UpRequest): View {
  const { terminal } = context;
  const { feed, wanted } = request;
  if (context.json) {
    const print = (): void => terminal.print(JSON.stringify(feed.status));
    print();
    return { close: feed.onChange(print) };
  }
  if (!terminal.live) {
    const close = sayProgress(context, feed, wanted);
    terminal.say('Ctrl-C stops everything.');
    return { close };
  }
  const panel = new LivePanel(terminal, () => [
    ...statusLines(feed.status, terminal),
    terminal.paint('dim', 'Ctrl-C stops everything and proves it.'),
  ]);
  panel.touch();
  const unlisten = feed.onChange(() => panel.touch());
  // Durations in the table go on without any change of state.
  const ticking = setInterval(() => panel.touch(), 1000);
  return {
    close: () => {
      clearInterval(ticking);
      unlisten();
      panel.end();
    },
  };
}
