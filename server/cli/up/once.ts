import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { statusLines } from '../statusLines.ts';
import { type Context, Exit } from '../verb.ts';
import { oneLine } from '../width.ts';
import { fetchPages, type PageResult } from './pages.ts';
import { sayProgress } from './progress.ts';
import { reportSettled } from './report.ts';
import type { UpRequest } from './request.ts';
import { sayReturns } from './returns.ts';
import { settle } from './settle.ts';
import { stopAll } from './stopAll.ts';

/** `up --once`: all ready, a page from each address, all stopped and proven gone. */
export async function runOnce(context: Context, request: UpRequest): Promise<number> {
  const { terminal } = context;
  const { client, workspace, feed, wanted, started } = request;
  const interrupts = watchInterrupts();
  const abort = new AbortController();
  void interrupts.first.then(() => abort.abort());
  const unlisten = [
    sayProgress(context, feed, wanted),
    sayReturns(request.client, (text) => context.terminal.say(text)),
  ];
  const result = await settle(feed, wanted, request.timeoutMs, abort.signal);
  for (const one of unlisten) one();
  let good = reportSettled(context, request, result);
  if (result.outcome === 'gone') return Exit.failed;
  const services = feed.status.services.filter((service) => wanted.has(service.name));
  const pages = good ? await fetchPages(services) : [];
  good &&= pages.every((page) => page.ok);
  // Memory is measured at intervals; the table shows what is known now.
  const status = await client.request('status', {});
  const shown = status.ok ? status.value : feed.status;
  if (!context.json) {
    for (const page of pages) terminal.print(pageLine(page));
    terminal.print(statusLines(shown, terminal).join('\n'));
  }
  const stopped = await stopAll(context, { client, workspace, feed, wanted, started, interrupts });
  interrupts.end();
  if (!stopped.ok) return stopped.code;
  if (context.json) terminal.print(JSON.stringify({ status: shown, pages, trees: stopped.trees }, null, 2));
  if (stopped.survivors) return Exit.failed;
  if (interrupts.received !== null) return interruptCode(interrupts.received);
  return good ? Exit.done : Exit.failed;
}

function pageLine(page: PageResult): string {
  const found = page.ok ? `${page.status}, ${page.bytes} bytes` : oneLine(page.detail ?? 'no page');
  return `page of ${page.name}: ${page.url} ${page.ok ? '✓' : '✗'} ${found}`;
}
