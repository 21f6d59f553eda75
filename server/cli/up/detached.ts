import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { statusLines } from '../statusLines.ts';
import { type Context, Exit } from '../verb.ts';
import { fail } from '../withSupervisor.ts';
import { sayProgress } from './progress.ts';
import { reportSettled } from './report.ts';
import type { UpRequest } from './request.ts';
import { sayReturns } from './returns.ts';
import { settle } from './settle.ts';

/** `up --detach`: returns when all are ready or have failed; everything runs on, an interrupt included. */
export async function runDetached(context: Context, request: UpRequest, wait: boolean): Promise<number> {
  const { feed, wanted } = request;
  if (!wait) return finish(context, request, request.refused.length === 0);
  const interrupts = watchInterrupts();
  const abort = new AbortController();
  void interrupts.first.then(() => abort.abort());
  const unlisten = [
    sayProgress(context, feed, wanted),
    sayReturns(request.client, (text) => context.terminal.say(text)),
  ];
  const result = await settle(feed, wanted, request.timeoutMs, abort.signal);
  for (const one of unlisten) one();
  interrupts.end();
  if (interrupts.received !== null) {
    context.terminal.say('Interrupted; what was started runs on. `coppice ps` shows it, `coppice down` ends it.');
    return interruptCode(interrupts.received);
  }
  const allReady = reportSettled(context, request, result);
  if (result.outcome === 'gone') return Exit.failed;
  return finish(context, request, allReady);
}

async function finish(context: Context, { client }: UpRequest, good: boolean): Promise<number> {
  const answer = await client.request('status', {});
  if (!answer.ok) return fail(context, answer.failure);
  context.terminal.print(
    context.json ? JSON.stringify(answer.value, null, 2) : statusLines(answer.value, context.terminal).join('\n'),
  );
  return good ? Exit.done : Exit.failed;
}
