import { type GraphEntry, withDependencies } from '../../service/dependencies.ts';
import { budgetUse } from '../../service/restartCore.ts';
import { formatDuration } from '../../text/units.ts';
import { agoWord, timeWord } from '../clock.ts';
import { count } from '../proof.ts';
import { adviceFor } from './advice.ts';
import { chainOf } from './chain.ts';
import { presentOf, type ServiceView, viewOf } from './present.ts';
import { type Story, tellStory } from './story.ts';
import type { Answer, BudgetUse, OutputTail, WhyFacts } from './types.ts';
import { explainRun } from './work.ts';

export interface ExplainOptions {
  /** Most links of a chain. */
  readonly limit: number;
}

/** Why an entry is as it is. Pure: the same facts give the same answer. */
export function explain(name: string, facts: WhyFacts, options: ExplainOptions): Answer {
  return explainWithin(name, facts, options, new Set());
}

/** `asked`: who is being explained already; a configuration has no cycle, and a journal must not make one. */
function explainWithin(name: string, facts: WhyFacts, options: ExplainOptions, asked: ReadonlySet<string>): Answer {
  const story = tellStory(facts.events, { name, isMeant: reachOf(name, facts) }, facts.now);
  const further = new Set([...asked, name]);
  const because = (names: readonly string[]): Answer[] =>
    names
      .filter((one) => !further.has(one))
      .map((one) => explainWithin(one, facts, options, further))
      .filter(({ state }) => !MET.has(state));
  const role = facts.services.has(name) || facts.statuses.has(name) ? 'service' : roleOf(name, facts);
  const notes = asked.size === 0 ? notesOf(facts, story) : [];
  if (role !== 'service') return { ...explainRun(name, role, facts, story, options.limit, because), notes };
  const view = viewOf(facts, name, story);
  const present = presentOf(view, facts);
  const { moments, earlier } = chainOf(story, present.last, options.limit);
  return {
    name,
    kind: 'service',
    state: present.state,
    since: present.since,
    headline: present.headline,
    chain: moments,
    earlier,
    budgets: budgetsOf(view, facts.now),
    output: outputOf(view, present.state, facts),
    advice: adviceFor(view, present, facts),
    notes,
    because: present.state === 'waiting' ? because(waitedFor(view)) : [],
  };
}

/** Nobody waits for one in such a state. */
const MET: ReadonlySet<string> = new Set(['ready', 'degraded', 'succeeded', 'cached']);

function roleOf(name: string, facts: WhyFacts): 'service' | 'task' | 'exec' {
  if (facts.taskConfigs.has(name) || facts.tasks.has(name)) return 'task';
  const record = facts.trees.find((one) => one.record.name === name)?.record;
  if (record !== undefined) return record.role;
  const isTask = facts.events.some(
    (one) => one.name === name && (one.event === 'task_started' || one.event === 'task_finished'),
  );
  if (isTask) return 'task';
  return name.startsWith('exec-') ? 'exec' : 'service';
}

/** Whether a request for some names is one for this entry: it was named, or something that needs it was. */
function reachOf(name: string, facts: WhyFacts): (verb: string, names: readonly string[]) => boolean {
  const entries = new Map<string, GraphEntry>([...facts.services, ...facts.taskConfigs]);
  const isTask = facts.taskConfigs.has(name);
  return (verb, names) => {
    if (verb === 'down') return true;
    if (verb === 'reload' || verb === 'reap') return false;
    if (names.includes(name)) return true;
    const isStart = verb === 'up' || verb === 'start';
    if (names.length === 0 && !isTask) return true;
    if (!isStart) return false;
    const goals = names.length > 0 ? names : [...facts.services].flatMap(([one, { enabled }]) => (enabled ? one : []));
    return withDependencies(goals, entries).includes(name);
  };
}

function waitedFor({ status, story, config }: ServiceView): readonly string[] {
  if (status?.blockedBy != null) return [status.blockedBy];
  if (story.state === 'waiting' && story.waitsFor.length > 0) return story.waitsFor;
  return config?.dependsOn.map((one) => one.name) ?? [];
}

function budgetsOf({ kept, config }: ServiceView, now: number): BudgetUse[] {
  if (kept === null || config === null) return [];
  const used = budgetUse(kept.state.accounting, now, config.restart);
  return (['crashes', 'slow', 'clean', 'drains', 'wedges'] as const).flatMap((budget) => {
    const { count: limit, windowMs } = config.restart[budget];
    return used[budget] === 0 ? [] : [{ budget, used: used[budget], limit, windowMs }];
  });
}

/** Of what went wrong, what it said last. */
function outputOf({ name, status, tree, story }: ServiceView, state: string, facts: WhyFacts): OutputTail | null {
  const life = story.lives.at(-1) ?? null;
  const isWrong = state === 'failed' || state === 'backoff' || state === 'completed' || state === 'degraded';
  const endedBadly = state === 'stopped' && life?.end !== null && life?.stopped === null;
  if (life?.notStarted != null || !(isWrong || endedBadly)) return null;
  const fromOffset = life?.outputOffset ?? status?.outputOffset ?? tree?.record.outputOffset ?? 0;
  return { log: facts.logOf(name), fromOffset, lines: [] };
}

/** What keeps the answer from being whole. */
export function notesOf(facts: WhyFacts, story: Pick<Story, 'gaps'>): string[] {
  const { supervisor, now, events, skipped, configurationError } = facts;
  const notes: string[] = [];
  switch (supervisor.kind) {
    case 'silent': {
      const beat = supervisor.beatAt === null ? null : agoWord(supervisor.beatAt, now);
      const sign = beat === null ? '' : `; its last heartbeat was ${beat}`;
      notes.push(
        `the supervisor (pid ${supervisor.pid}) does not answer (${supervisor.detail}${sign}): this is told from its files`,
      );
      break;
    }
    case 'elsewhere':
      notes.push(`the supervisor (pid ${supervisor.pid}) runs on ${supervisor.host}: this is told from its files`);
      break;
    case 'lost':
      notes.push(
        `the supervisor (pid ${supervisor.pid}) was lost, and ${heirText(supervisor)}: this is told from its files`,
      );
      break;
    case 'none':
      notes.push('no supervisor runs: this is told from the files of the last one');
      break;
    case 'serving':
      break;
    default:
      supervisor satisfies never;
  }
  if (skipped > 0)
    notes.push(
      `${count(skipped, 'line')} of the journal could not be read and ${skipped === 1 ? 'is' : 'are'} missing here`,
    );
  if (story.gaps > 0)
    notes.push(`${count(story.gaps, 'time')} the journal could not be written, so events are missing`);
  const first = events[0];
  if (first !== undefined && first.seq > 1)
    notes.push(`the journal is kept from ${timeWord(first.at, now)} on; what was before is not known`);
  if (goesBackwards(events))
    notes.push('the clock was set back meanwhile: the order is right, the times are as they were shown');
  if (configurationError !== null)
    notes.push(
      `the configuration cannot be used as it is (${configurationError}); ${supervisor.kind === 'serving' || supervisor.kind === 'silent' ? 'the last good one stays in force' : 'nothing is started until it is mended'}`,
    );
  return notes;
}

function heirText({ guardian, gaveUp }: Extract<WhyFacts['supervisor'], { kind: 'lost' }>): string {
  if (guardian !== null) return `its guardian (pid ${guardian}) is about to start another`;
  return gaveUp === null ? 'nobody has taken its place' : `its guardian has given up (${gaveUp})`;
}

/** By more than the clocks of two processes differ in how they round. */
function goesBackwards(events: WhyFacts['events']): boolean {
  return events.some((one, index) => index > 0 && (events[index - 1]?.at ?? 0) - one.at > BACKWARDS_MS);
}

const BACKWARDS_MS = 1_000;

export function budgetWords({ budget, used, limit, windowMs }: BudgetUse): string {
  const window = formatDuration(windowMs);
  switch (budget) {
    case 'crashes':
      return `crashes in a row: ${used} of ${limit}, each within ${window} of the one before`;
    case 'slow':
      return `crashes within ${window}: ${used}, ${limit} are allowed`;
    case 'clean':
      return `exits with code 0 within ${window}: ${used}, ${limit} are allowed before starts are slowed down`;
    case 'drains':
      return `memory drains within ${window}: ${used}, ${limit} are allowed`;
    case 'wedges':
      return `times that it stopped answering within ${window}: ${used}, ${limit} are allowed`;
    default:
      return budget satisfies never;
  }
}
