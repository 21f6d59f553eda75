import { followOutput, type OutputMark, outputEnd, readSinceOffset, readTail } from '../../process/output/index.ts';
import { readJournal } from '../../store/journalRead.ts';
import { logPath } from '../../store/paths.ts';
import { closest } from '../../text/suggest.ts';
import { interruptCode, watchInterrupts } from '../interrupt.ts';
import { openWorkspace, type Workspace } from '../link.ts';
import { type LogFormat, LogWriter, logPrefixes } from '../logLines.ts';
import { unknownName } from '../messages.ts';
import { knownLogs } from '../offline.ts';
import { readCountOption, readMomentOption } from '../optionValues.ts';
import { type Context, Exit, type Verb } from '../verb.ts';
import { fail } from '../withSupervisor.ts';

const DEFAULT_LINES = 100;

export const logs: Verb = {
  name: 'logs',
  summary: 'show what services print',
  usage: '[name...]',
  description: [
    'Shows the output of services, stdout and stderr in the order in which they were written. It is read from the files that the services write themselves, so it works when the supervisor is down, and nothing is lost by following. Several names (or none, for all) are shown with the name before each line: first the last lines of each, then, with -f, lines as they come.',
    'Output carries no time, so --since works by what is known of it: it begins with the start of the incarnation that ran at that time, or with the file last written after it. It may show older lines than asked for, and never leaves out younger ones.',
  ].join('\n'),
  positionals: { least: 0, most: Number.POSITIVE_INFINITY },
  options: [
    { long: 'follow', short: 'f', description: 'stay, and show what is printed from now on' },
    {
      long: 'lines',
      short: 'n',
      value: 'count',
      description: 'how many of the last lines of each (100; all with --since)',
    },
    {
      long: 'since',
      value: 'when',
      description: 'what was printed since a time ago (10m) or a moment (2026-01-31T12:00)',
    },
  ],
  examples: [
    { command: 'coppice logs web -f', effect: 'the last 100 lines of web, then what comes' },
    { command: 'coppice logs web api --since 10m', effect: 'what both printed in the last ten minutes' },
  ],
  async run(context, { positionals, options }) {
    const lines = readCountOption(
      context,
      options,
      'lines',
      options.has('since') ? Number.POSITIVE_INFINITY : DEFAULT_LINES,
    );
    const since = readMomentOption(context, options, 'since', Date.now());
    if (lines === null || !since.ok) return Exit.usage;
    const opened = openWorkspace(context);
    if (!opened.ok) return fail(context, opened.failure);
    const names = await chooseNames(context, opened.workspace, positionals);
    if (names === null) return Exit.usage;
    const request: LogRequest = { workspace: opened.workspace, names, lines, since: since.at };
    if (options.has('follow')) return follow(context, request);
    const end = new AbortController();
    end.abort();
    for (const name of names) await showOne(context, request, name, end.signal, new AbortController().signal);
    return Exit.done;
  },
};

interface LogRequest {
  readonly workspace: Workspace;
  readonly names: readonly string[];
  readonly lines: number;
  readonly since: number | null;
}

/** All that have output, when none is named. `null`: a name is unknown, which was said. */
async function chooseNames(context: Context, workspace: Workspace, given: readonly string[]): Promise<string[] | null> {
  const known = await knownLogs(workspace, given.length > 0);
  if (given.length === 0) {
    if (known.length === 0) context.terminal.say('Nothing has printed anything here yet.');
    return known;
  }
  const unknown = given.find((name) => !known.includes(name));
  if (unknown === undefined) return [...new Set(given)];
  // Logs of commands, and the supervisor's own, can be asked for; a list of them would help nobody.
  const offered = await knownLogs(workspace, false);
  context.terminal.say(`coppice: ${unknownName(unknown, closest(unknown, known), offered)}`);
  return null;
}

async function follow(context: Context, request: LogRequest): Promise<number> {
  const interrupts = watchInterrupts();
  const stop = new AbortController();
  const never = new AbortController();
  void interrupts.first.then(() => stop.abort());
  await Promise.all(request.names.map((name) => showOne(context, request, name, never.signal, stop.signal)));
  // Without any output there is nothing to follow, and nothing was interrupted.
  if (request.names.length === 0) return Exit.done;
  return interruptCode(await interrupts.first);
}

async function showOne(
  context: Context,
  request: LogRequest,
  name: string,
  ended: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const path = logPath(request.workspace.stateDir, name);
  const format = chooseFormat(context, request.names.length);
  const prefix = format === 'prefixed' ? (logPrefixes(request.names, context.terminal).get(name) ?? '') : '';
  const writer = new LogWriter(context.terminal, format, name, prefix);
  const offset = await beginning(request, name, path);
  await followOutput(path, {
    offset,
    signal,
    ended,
    onChunk: (bytes) => writer.push(bytes),
    onGap: (from, to) => context.terminal.say(`coppice: ${to - from} bytes of ${name} are not kept any more`),
  });
  await writer.end();
}

async function beginning({ workspace, lines, since }: LogRequest, name: string, path: string): Promise<number> {
  const marks: readonly OutputMark[] = since === null ? [] : startMarks(workspace, name);
  const fromOffset = since === null ? 0 : await readSinceOffset(path, since, marks);
  if (lines === Number.POSITIVE_INFINITY) return fromOffset;
  if (lines === 0) return outputEnd(path);
  return (await readTail(path, lines, { fromOffset })).from;
}

/** Where each incarnation began to write, from the journal. */
function startMarks({ stateDir }: Workspace, name: string): OutputMark[] {
  return readJournal(stateDir).events.flatMap(({ event, at, ...fields }) => {
    const isStart = event === 'service_spawned' && fields.name === name && typeof fields.outputOffset === 'number';
    return isStart ? [{ at, position: fields.outputOffset as number }] : [];
  });
}

function chooseFormat(context: Context, names: number): LogFormat {
  if (context.json) return 'json';
  if (names > 1) return 'prefixed';
  return context.terminal.colours ? 'raw' : 'plain';
}
