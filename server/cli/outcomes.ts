/** `start`, `stop`, `restart` and `reset`: one request over names, one line a name. */
import type { NameOutcome, NamesResult } from '../api/protocol.ts';
import { outcome } from '../service/outcome.ts';
import { closest } from '../text/suggest.ts';
import { endedSince } from './earlier.ts';
import { type EarlierTree, proofLines, withEarlier } from './proof.ts';
import type { Context } from './verb.ts';
import { Exit } from './verb.ts';
import { type Attached, fail, patientRequest, requestEnd } from './withSupervisor.ts';

export async function requestNames(
  context: Context,
  attached: Attached,
  request: 'start' | 'stop' | 'restart' | 'reset',
  names: readonly string[],
): Promise<number> {
  const since = Date.now();
  const params = { names: [...new Set(names)] };
  const answer =
    request === 'stop'
      ? (await requestEnd(context, attached, request, params)).answer
      : await patientRequest(context, attached.client, request, params);
  if (!answer.ok) return fail(context, answer.failure);
  const repeated = request === 'stop' && answer.repeated === true;
  const earlier = repeated ? endedSince(attached.client.hello.workspace.stateDir, since) : [];
  const outcomes = answer.value.outcomes.map((one) => completed(one, earlier));
  const untold = earlier.filter(({ name }) => outcomes.some((one) => one.name === name && one.proof === null));
  if (context.json) context.terminal.print(JSON.stringify(withEarlier({ outcomes }, untold), null, 2));
  else await sayOutcomes(context, attached, { outcomes }, untold);
  return outcomesCode(outcomes);
}

/** What a supervisor had stopped before it was lost was running when it was asked for. */
function completed(one: NameOutcome, earlier: readonly EarlierTree[]): NameOutcome {
  const wasEnded = one.reason === 'not_running' && earlier.some(({ name }) => name === one.name);
  return wasEnded ? outcome(one.name, 'stopped') : one;
}

/** Unknown names are wrong usage; anything else that did not work is a failure. */
export function outcomesCode(outcomes: readonly NameOutcome[]): number {
  if (outcomes.some((one) => one.reason === 'unknown_name')) return Exit.usage;
  return outcomes.every((one) => one.ok) ? Exit.done : Exit.failed;
}

async function sayOutcomes(
  context: Context,
  attached: Attached,
  result: NamesResult,
  earlier: readonly EarlierTree[],
): Promise<void> {
  const { terminal } = context;
  for (const one of result.outcomes) {
    if (one.ok) terminal.print(one.message);
    else if (one.reason === 'unknown_name') terminal.say(`coppice: ${await unknown(attached, one)}`);
    else terminal.say(`coppice: ${one.message}`);
  }
  const trees = result.outcomes.flatMap(({ name, proof }) => (proof === null ? [] : [{ name, proof }]));
  for (const line of trees.length + earlier.length === 0 ? [] : proofLines(trees, earlier)) terminal.print(line);
}

/** With the nearest known name, and all of them. */
async function unknown(attached: Attached, outcome: NameOutcome): Promise<string> {
  const status = await attached.client.request('status', {});
  const known = status.ok ? status.value.services.map((one) => one.name) : [];
  const near = closest(outcome.name, known);
  const guess = near === null ? '' : `; did you mean ${near}?`;
  return `${outcome.message}${guess}${known.length === 0 ? '' : `\nThere are: ${known.join(', ')}.`}`;
}
