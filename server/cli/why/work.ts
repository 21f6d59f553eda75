/** Tasks and commands of `exec`: what runs to an end. Pure. */
import { agoWord, sinceWord } from '../clock.ts';
import { oneLine } from '../width.ts';
import { chainOf } from './chain.ts';
import type { Story } from './story.ts';
import type { Advice, Answer, OutputTail, WhyFacts } from './types.ts';

type RunAnswer = Omit<Answer, 'notes'>;

export function explainRun(
  name: string,
  kind: 'task' | 'exec',
  facts: WhyFacts,
  story: Story,
  limit: number,
  because: (names: readonly string[]) => Answer[],
): RunAnswer {
  const { moments, earlier } = chainOf(story, story.last, limit);
  const last = story.moments.find((one) => one.id === story.last) ?? null;
  const state = stateOf(name, kind, facts, story);
  const since = last?.at ?? facts.tasks.get(name)?.startedAt ?? null;
  const waits = state === 'waiting' || state === 'blocked';
  return {
    name,
    kind,
    state,
    since,
    headline: headlineOf(name, kind, facts, { state, since, text: last?.text ?? null }),
    chain: moments,
    earlier,
    budgets: [],
    output: outputOf(name, kind, facts, story, state),
    advice: adviceFor(name, kind, state, facts),
    because: waits ? because(facts.taskConfigs.get(name)?.dependsOn.map((one) => one.name) ?? []) : [],
  };
}

function stateOf(name: string, kind: 'task' | 'exec', facts: WhyFacts, story: Story): string {
  const status = facts.tasks.get(name);
  if (status !== undefined) return status.state;
  const tree = facts.trees.find((one) => one.record.name === name);
  if (tree !== undefined) return tree.alive ? 'running' : 'ended';
  const last = story.moments.find((one) => one.id === story.last);
  if (kind === 'exec') return story.state === 'unknown' ? 'never run' : 'ended';
  if (story.state === 'ended' && last !== undefined) return (last.text.split(':')[0] ?? 'ended').replaceAll(' ', '_');
  return story.state === 'starting' ? 'ended' : story.state === 'unknown' ? 'never run' : story.state;
}

function headlineOf(
  name: string,
  kind: 'task' | 'exec',
  facts: WhyFacts,
  { state, since, text }: { readonly state: string; readonly since: number | null; readonly text: string | null },
): string {
  const words = state.replaceAll('_', ' ');
  const tree = facts.trees.find((one) => one.record.name === name && one.alive);
  if (state === 'never run') return `${name} was not run yet, as far as the journal goes back`;
  if (state === 'running') {
    const began = tree?.record.startedAt ?? since;
    const pid = tree === undefined ? '' : `, pid ${tree.record.tree.leader.pid}`;
    return `${name} runs${began === null ? '' : ` ${sinceWord(began, facts.now)}`}${pid}`;
  }
  const detail = facts.tasks.get(name)?.detail ?? null;
  if (kind === 'exec')
    return `${name} ${text ?? 'has ended'}${since === null ? '' : `, ${agoWord(since, facts.now) ?? sinceWord(since, facts.now)}`}`;
  const why = detail !== null ? oneLine(detail) : (text?.split(': ').slice(1).join(': ') ?? '');
  const ago = since === null ? '' : `, ${agoWord(since, facts.now) ?? sinceWord(since, facts.now)}`;
  return `${name} ${IS_STATE.has(state) ? 'is ' : 'has '}${words}${ago}${why === '' ? '' : `: ${why}`}`;
}

/** The others are something that it has done. */
const IS_STATE: ReadonlySet<string> = new Set(['waiting', 'blocked', 'cached', 'canceled', 'skipped']);

function outputOf(
  name: string,
  kind: 'task' | 'exec',
  facts: WhyFacts,
  story: Story,
  state: string,
): OutputTail | null {
  if (kind === 'exec') {
    const isGood = state !== 'ended' || story.lives.at(-1)?.end === 'exit code 0';
    return isGood ? null : { log: facts.logOf(name), fromOffset: 0, lines: [] };
  }
  if (state === 'running' || state === 'never run' || state === 'waiting' || state === 'blocked') return null;
  const log = facts.tasks.get(name)?.log ?? facts.trees.find((one) => one.record.name === name)?.record.logPath ?? null;
  if (state === 'succeeded' || state === 'cached' || log === null) return null;
  return { log, fromOffset: 0, lines: [] };
}

function adviceFor(name: string, kind: 'task' | 'exec', state: string, facts: WhyFacts): Advice[] {
  if (kind === 'exec')
    return state === 'running' ? [{ text: 'shows what it prints', command: `coppice logs ${name} -f` }] : [];
  const place = facts.placeOf(['tasks', name]);
  switch (state) {
    case 'failed':
    case 'timed_out':
    case 'canceled':
    case 'never run':
      return [{ text: 'runs it, with what it needs', command: `coppice start ${name}` }];
    case 'needs_attention':
      return [
        {
          text: `a person must look: its exit code is one of its attentionCodes${place === null ? '' : ` (${place})`}`,
          command: null,
        },
      ];
    default:
      return [];
  }
}
