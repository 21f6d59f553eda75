/** `start`, `stop`, `restart` and `reset`: one request over names, one line a name. */
import type { NameOutcome, NamesResult } from '../api/protocol.ts';
import { closest } from '../text/suggest.ts';
import { proofLines } from './proof.ts';
import type { Context } from './verb.ts';
import { Exit } from './verb.ts';
import { type Attached, fail, patientRequest } from './withSupervisor.ts';

export async function requestNames(
  context: Context,
  attached: Attached,
  request: 'start' | 'stop' | 'restart' | 'reset',
  names: readonly string[],
): Promise<number> {
  const answer = await patientRequest(context, attached.client, request, { names: [...new Set(names)] });
  if (!answer.ok) return fail(context, answer.failure);
  if (context.json) context.terminal.print(JSON.stringify(answer.value, null, 2));
  else await sayOutcomes(context, attached, answer.value);
  return outcomesCode(answer.value.outcomes);
}

/** Unknown names are wrong usage; anything else that did not work is a failure. */
export function outcomesCode(outcomes: readonly NameOutcome[]): number {
  if (outcomes.some((one) => one.reason === 'unknown_name')) return Exit.usage;
  return outcomes.every((one) => one.ok) ? Exit.done : Exit.failed;
}

async function sayOutcomes(context: Context, attached: Attached, result: NamesResult): Promise<void> {
  const { terminal } = context;
  for (const one of result.outcomes) {
    if (one.ok) terminal.print(one.message);
    else if (one.reason === 'unknown_name') terminal.say(`coppice: ${await unknown(attached, one)}`);
    else terminal.say(`coppice: ${one.message}`);
  }
  const trees = result.outcomes.flatMap(({ name, proof }) => (proof === null ? [] : [{ name, proof }]));
  for (const line of trees.length === 0 ? [] : proofLines(trees)) terminal.print(line);
}

/** With the nearest known name, and all of them. */
async function unknown(attached: Attached, outcome: NameOutcome): Promise<string> {
  const status = await attached.client.request('status', {});
  const known = status.ok ? status.value.services.map((one) => one.name) : [];
  const near = closest(outcome.name, known);
  const guess = near === null ? '' : `; did you mean ${near}?`;
  return `${outcome.message}${guess}${known.length === 0 ? '' : `\nThere are: ${known.join(', ')}.`}`;
}
