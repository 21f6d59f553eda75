import { explain } from '../../../../server/cli/why/explain.ts';
import { whyLines } from '../../../../server/cli/why/render.ts';
import type { Answer, WhyFacts } from '../../../../server/cli/why/types.ts';
import { factsOf, journalOf, type Line } from '../../../support/journals.ts';

export const TERMINAL = { kind: 'cli', pid: 812, session: null };

/** A service's start as the journal has it: spawned and ready. */
export function life(
  after: number,
  incarnation: number,
  fields: { readonly name?: string; readonly pid?: number } = {},
): Line[] {
  const { name = 'web', pid = 900 + incarnation } = fields;
  return [
    [after, 'service_spawned', { name, pid, incarnation, outputOffset: 10 * incarnation }],
    [after + 100, 'service_ready', { name, incarnation, startupMs: 100 }],
  ];
}

/** A crash with what follows it. */
export function crash(
  after: number,
  incarnation: number,
  crashes: number,
  fields: Readonly<Record<string, unknown>> = {},
): Line[] {
  const exit = { code: 1, signal: null, runDurationMs: 50, likelyCause: 'runtime_error', ...fields };
  return [
    [after, 'service_exited', { name: 'web', incarnation, crashes, ...exit }],
    [after, 'backoff', { name: 'web', ms: 1000 * 2 ** (crashes - 1), reason: 'crash', crashes, limit: 8 }],
    [after + 1, 'tree_reaped', { name: 'web', incarnation, confirmed: 1, survivors: [], killed: true, durationMs: 2 }],
  ];
}

export const UP: Line = [0, 'requested', { verb: 'up', names: [], by: TERMINAL }];

const WEB = 'services: { web: { command: sleep 1 } }';

/** The answer to `coppice why <name>` for a journal, and its text. */
export function why(
  lines: readonly Line[],
  facts: Partial<WhyFacts> = {},
  { configuration = WEB, name = 'web', limit = 20, columns = Number.POSITIVE_INFINITY } = {},
): { readonly answer: Answer; readonly text: string; readonly chain: readonly string[] } {
  const all = factsOf(configuration, { events: journalOf(...lines), ...facts });
  const answer = explain(name, all, { limit });
  const text = whyLines(answer, { colours: false, columns, now: all.now }).join('\n');
  return { answer, text, chain: answer.chain.map((one) => one.text) };
}
