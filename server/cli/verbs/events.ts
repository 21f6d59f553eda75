import { followJournal } from '../../store/journalFollow.ts';
import { readJournal } from '../../store/journalRead.ts';
import type { JournalEvent } from '../../store/types.ts';
import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { eventLine, eventPaint } from '../journalWords.ts';
import { openWorkspace } from '../link.ts';
import { readCountOption } from '../optionValues.ts';
import { count } from '../proof.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail } from '../withSupervisor.ts';

const DEFAULT_EVENTS = 50;

export const events: Verb = {
  name: 'events',
  summary: 'show the journal',
  usage: '',
  description:
    'Shows what happened and why: starts, exits with their cause, backoffs, budgets that were spent, what was reaped. The journal is read from its file, so it works with the supervisor down. With --json each event is one line of JSON, with a number (seq) that grows by one, by which a program notices what it missed.',
  positionals: { least: 0, most: 0 },
  options: [
    { long: 'follow', short: 'f', description: 'stay, and show events as they come' },
    { long: 'lines', short: 'n', value: 'count', description: 'how many of the last events (50)' },
  ],
  examples: [
    { command: 'coppice events -f', effect: 'the last 50 events, then what comes' },
    { command: `coppice events -n 1000 --json | jq 'select(.event == "service_exited")'`, effect: 'every exit' },
  ],
  async run(context, { options }) {
    const limit = readCountOption(context, options, 'lines', DEFAULT_EVENTS);
    if (limit === null) return Exit.usage;
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const { stateDir } = opened.workspace;
    const { events: past, skipped } = readJournal(stateDir, { limit: Math.max(1, limit) });
    for (const event of limit === 0 ? [] : past) show(context, event);
    if (skipped > 0) context.terminal.say(`coppice: ${count(skipped, 'line')} of the journal could not be read`);
    if (options.has('follow')) return follow(context, stateDir, past.at(-1)?.seq ?? 0);
    if (past.length === 0) context.terminal.say('The journal is empty: nothing has happened here yet.');
    return Exit.done;
  },
};

async function follow(context: Context, stateDir: string, sinceSeq: number): Promise<number> {
  const interrupts = watchInterrupts();
  const stop = new AbortController();
  void interrupts.first.then(() => stop.abort());
  await followJournal(stateDir, {
    sinceSeq,
    signal: stop.signal,
    onEvent: (event) => show(context, event),
    onGap: (gap) => {
      const what =
        gap.kind === 'missing'
          ? `events ${gap.from} to ${gap.to} are not kept any more`
          : 'a line of the journal could not be read';
      context.terminal.say(`coppice: ${what}`);
    },
  });
  return interruptCode(await interrupts.first);
}

function show(context: Context, event: JournalEvent): void {
  if (context.json) {
    context.terminal.print(JSON.stringify(event));
    return;
  }
  const paint = eventPaint(event);
  const line = eventLine(event, Date.now());
  context.terminal.print(paint === null ? line : context.terminal.paint(paint, line));
}
