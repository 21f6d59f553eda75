/** The present state of an entry, from the best witness that there is, and the line that says it. Pure. */
import type { ServiceConfig } from '../../config/model.ts';
import { failureText } from '../../service/policy/describe.ts';
import type { ServiceState } from '../../service/policy/policy.ts';
import { restore } from '../../service/policy/snapshot.ts';
import type { ServiceStatus } from '../../service/status.ts';
import { formatDuration } from '../../text/units.ts';
import { agoWord, dueWord, sinceWord } from '../clock.ts';
import { oneLine } from '../width.ts';
import type { Story, Told } from './story.ts';
import type { TreeView, WhyFacts } from './types.ts';

/** A service, seen by everyone who knows of it. */
export interface ServiceView {
  readonly name: string;
  readonly story: Story;
  readonly status: ServiceStatus | null;
  readonly tree: TreeView | null;
  /** What a successor would begin with; `null` where nothing is on record. */
  readonly kept: { readonly state: ServiceState; readonly wanted: boolean } | null;
  readonly config: ServiceConfig | null;
}

export type PresentState =
  | 'waiting'
  | 'stopped'
  | 'starting'
  | 'ready'
  | 'degraded'
  | 'backoff'
  | 'stopping'
  | 'failed'
  | 'completed'
  /** It was to run and does not, since nobody is there to start it. */
  | 'abandoned';

export interface Present {
  readonly state: PresentState;
  readonly since: number | null;
  readonly headline: string;
  /** The moment that the chain ends with. */
  readonly last: number | null;
}

export function viewOf(facts: WhyFacts, name: string, story: Story): ServiceView {
  const tree = facts.trees.find((one) => one.record.role === 'service' && one.record.name === name) ?? null;
  const snapshot = Object.hasOwn(facts.snapshots, name) ? facts.snapshots[name] : undefined;
  return {
    name,
    story,
    status: facts.statuses.get(name) ?? null,
    tree,
    kept: restore(snapshot),
    config: facts.services.get(name) ?? null,
  };
}

export function presentOf(view: ServiceView, facts: WhyFacts): Present {
  const state = stateOf(view, facts);
  const last = lastMoment(view.story, state);
  const since = sinceOf(view, state, last);
  return { state, since, headline: headlineOf(view, facts, state, since), last: last?.id ?? null };
}

/** The supervisor itself while it answers, else the process table and what was written down. */
function stateOf({ status, tree, kept, story }: ServiceView, { supervisor }: WhyFacts): PresentState {
  if (status !== null) return isPending(status) ? 'waiting' : status.state;
  if (tree?.alive === true) {
    if (story.state === 'stopping' || story.state === 'degraded') return story.state;
    return tree.record.readyAt === null ? 'starting' : 'ready';
  }
  const rest = kept?.state.name;
  if (rest === 'failed' || rest === 'completed') return rest;
  if (supervisor.kind === 'silent' || supervisor.kind === 'elsewhere') {
    return story.state === 'unknown' || story.state === 'ended' ? 'stopped' : story.state;
  }
  if (supervisor.kind === 'lost' && (kept?.wanted === true || story.state === 'waiting')) return 'abandoned';
  return 'stopped';
}

/** It rests, and was asked for: `detail` then tells what it waits for. */
function isPending({ state, blockedBy, detail }: ServiceStatus): boolean {
  const rests = state === 'stopped' || state === 'completed' || state === 'failed';
  return rests && (blockedBy !== null || detail?.startsWith('waits for ') === true);
}

/** A warning that is over has no entry of its own: what runs well again is due to its start. */
function lastMoment(story: Story, state: PresentState): Told | null {
  const byId = new Map(story.moments.map((one) => [one.id, one]));
  let last = story.last === null ? null : (byId.get(story.last) ?? null);
  while (state === 'ready' && last?.kind === 'trouble')
    last = last.causedBy === null ? null : (byId.get(last.causedBy) ?? null);
  return last;
}

function sinceOf({ status, tree, story }: ServiceView, state: PresentState, last: Told | null): number | null {
  if (state === 'ready' && last?.kind !== 'trouble') return status?.readyAt ?? tree?.record.readyAt ?? last?.at ?? null;
  if (state === 'starting') return status?.startedAt ?? tree?.record.startedAt ?? last?.at ?? null;
  if (state === story.state || story.state === 'stopped' || state === 'waiting') return last?.at ?? null;
  return status?.lastExit?.at ?? last?.at ?? null;
}

function headlineOf(view: ServiceView, facts: WhyFacts, state: PresentState, since: number | null): string {
  const { name, status, config, story } = view;
  const { now } = facts;
  const when = since === null ? '' : ` ${sinceWord(since, now)}`;
  const pid = status?.pid ?? (view.tree?.alive === true ? view.tree.record.tree.leader.pid : null);
  const process = pid === null ? '' : `, pid ${pid}`;
  const alone =
    status === null && view.tree?.alive === true && facts.supervisor.kind !== 'silent'
      ? ' and runs without a supervisor'
      : '';
  switch (state) {
    case 'ready':
      return `${name} is ready${alone}${when}${process}`;
    case 'degraded': {
      const trouble = story.moments.findLast((one) => one.kind === 'trouble')?.text ?? null;
      const why = status?.detail ?? trouble;
      return `${name} is degraded${alone}${when}${process}${why === null ? '' : `: ${oneLine(why)}`}`;
    }
    case 'starting':
      return `${name} is starting${alone}${when}${process}: ${readinessText(config)}`;
    case 'stopping': {
      const why = status?.detail ?? causeText(view);
      return `${name} is being stopped${when}${process}${why === null ? '' : `: ${oneLine(why)}`}`;
    }
    case 'backoff':
      return backoffHeadline(view, now);
    case 'failed':
      return `${name} has failed${since === null ? '' : `, ${agoWord(since, now) ?? sinceWord(since, now)}`}: ${failureOf(view)}`;
    case 'completed': {
      const policy = config?.restart.policy ?? null;
      const rule = policy === null ? '' : `, and \`restart: ${policy}\` wants no other start`;
      return `${name} is done${when}: it ended with exit code 0${rule}`;
    }
    case 'waiting': {
      const what = status?.detail ?? (story.waitsFor.length === 0 ? 'waits' : `waits for ${story.waitsFor.join(', ')}`);
      const text = oneLine(what);
      return text.startsWith('blocked: ')
        ? `${name} cannot start${when}: ${text.slice('blocked: '.length)}`
        : `${name} ${text}${when}`;
    }
    case 'abandoned':
      return `${name} does not run${when}: the supervisor was lost, and nobody has taken its place yet`;
    case 'stopped': {
      const cause = causeText(view);
      if (cause !== null) return `${name} is stopped${when}: ${cause}`;
      if (config !== null && !config.enabled)
        return `${name} is stopped: it is not enabled, and nobody has asked for it by name`;
      return story.lives.length === 0 ? `${name} is stopped: nobody has asked for it yet` : `${name} is stopped${when}`;
    }
    default:
      return state satisfies never;
  }
}

/** Where the chain that ends now began, when that was somebody's wish; else what was done, and why. */
function causeText({ story }: ServiceView): string | null {
  const byId = new Map(story.moments.map((one) => [one.id, one]));
  const passed = new Map<Told['kind'], Told>();
  let at = story.last === null ? undefined : byId.get(story.last);
  // A life that ended by itself is its own cause, whoever started it.
  while (at !== undefined && !passed.has(at.kind) && at.kind !== 'spawn' && at.kind !== 'ready') {
    if (WISHES.has(at.kind)) return at.text;
    passed.set(at.kind, at);
    at = at.causedBy === null ? undefined : byId.get(at.causedBy);
  }
  return (passed.get('stopping') ?? passed.get('exit'))?.text ?? null;
}

const WISHES: ReadonlySet<Told['kind']> = new Set(['request', 'configuration', 'supervisor']);

function backoffHeadline({ name, status, story, kept, config }: ServiceView, now: number): string {
  const told = story.moments.findLast((one) => one.kind === 'backoff');
  const waited = story.lives.at(-1)?.waitedMs ?? null;
  const dueAt = status?.respawnAt ?? (told === undefined || waited === null ? null : told.at + waited);
  const crashes = status?.crashes ?? kept?.state.accounting.crashes ?? null;
  const budget = config?.restart.crashes ?? null;
  const attempt =
    crashes === null || crashes === 0
      ? ''
      : budget === null
        ? `, after crash ${crashes}`
        : `, after crash ${crashes} of ${budget.count} within ${formatDuration(budget.windowMs)} of each other`;
  const ended = story.moments.findLast((one) => one.kind === 'exit');
  return `${name} waits and starts again${dueAt === null ? '' : ` ${dueWord(dueAt, now)}`}${attempt}${ended === undefined ? '' : `: it ${ended.text}`}`;
}

function failureOf({ status, story, kept }: ServiceView): string {
  if (kept?.state.name === 'failed') return oneLine(failureText(kept.state));
  const told = story.moments.findLast((one) => one.kind === 'failed');
  if (told !== undefined) return told.text.replace(/^failed: /, '');
  return oneLine(status?.failure?.split('\n')[0] ?? status?.detail ?? 'why is not on record');
}

/** What is asked until it counts as ready, and for how long. */
function readinessText(config: ServiceConfig | null): string {
  const ready = config?.ready ?? null;
  if (config === null) return 'not ready yet';
  if (ready === null) return 'it is ready once it has stayed up for 1s';
  return `not ready yet; it is asked (${probeWords(ready.probe)}) for at most ${formatDuration(ready.timeoutMs)}`;
}

function probeWords(probe: NonNullable<ServiceConfig['ready']>['probe']): string {
  switch (probe.kind) {
    case 'http':
      return `http ${probe.target}`;
    case 'tcp':
      return `tcp ${probe.port}`;
    case 'log':
      return `a line of its output that matches ${probe.pattern}`;
    case 'exec':
      return 'a command of the entry';
    case 'lsp':
      return 'initialize';
    default:
      return probe satisfies never;
  }
}
