/** From all that was told of an entry to what led to its present state, with what repeats put together. Pure. */
import { formatDuration } from '../../text/units.ts';
import type { Life, Story, Told } from './story.ts';
import type { Moment } from './types.ts';

export interface Chain {
  readonly moments: readonly Moment[];
  readonly earlier: number;
}

/** The chain that ends with moment `last`; of more than `limit` links the oldest but the first are left out. */
export function chainOf(story: Story, last: number | null, limit: number): Chain {
  const led = inOrder(ledTo(story.moments, last));
  const folded = foldLives(mergePairs(led), story.lives);
  if (folded.length <= limit) return { moments: folded, earlier: 0 };
  const [first, ...rest] = folded;
  const kept = [
    ...(first === undefined || limit < 2 ? [] : [first]),
    ...rest.slice(rest.length - Math.max(1, limit - 1)),
  ];
  const ids = new Set(kept.map((one) => one.id));
  return {
    moments: kept.map((one) => (one.causedBy === null || ids.has(one.causedBy) ? one : { ...one, causedBy: null })),
    earlier: folded.length - kept.length,
  };
}

/** The moments from which a way leads to `last`, and what is told of the same moments beside it. */
function ledTo(moments: readonly Told[], last: number | null): Told[] {
  const byId = new Map(moments.map((one) => [one.id, one]));
  const wanted = new Set<number>();
  // A cycle cannot be written, since a cause is always known before; a forged journal must not hang anyone.
  for (let at = last; at !== null && !wanted.has(at); at = byId.get(at)?.causedBy ?? null) wanted.add(at);
  return moments.filter(
    (one) => wanted.has(one.id) || (BESIDE.has(one.kind) && one.causedBy !== null && wanted.has(one.causedBy)),
  );
}

const BESIDE: ReadonlySet<Moment['kind']> = new Set(['reaped', 'other']);

/** By number, and a cause that was written down late just before what it brought about. */
function inOrder(moments: readonly Told[]): Told[] {
  const place = new Map(moments.map((one) => [one.id, one.id]));
  for (const { id, causedBy } of moments) {
    const cause = causedBy === null ? undefined : place.get(causedBy);
    if (causedBy !== null && cause !== undefined && cause > id) place.set(causedBy, id - 0.5);
  }
  return [...moments].sort((left, right) => (place.get(left.id) ?? 0) - (place.get(right.id) ?? 0));
}

type Link = Moment & { readonly life: number | null };

/** A start that became ready, and a stop that ended it, are one piece of news each. */
function mergePairs(moments: readonly Told[]): Link[] {
  const links: Link[] = [];
  const mergedInto = new Map<number, number>();
  const idOf = (id: number | null): number | null => (id === null ? null : (mergedInto.get(id) ?? id));
  for (const told of moments) {
    const before = links.at(-1);
    const joiner = before?.life === told.life && told.life !== null ? joinerOf(before.kind, told.kind) : null;
    if (before === undefined || joiner === null) {
      links.push({ ...told, until: null, times: 1, causedBy: idOf(told.causedBy) });
      continue;
    }
    mergedInto.set(told.id, before.id);
    const kind = told.kind;
    links[links.length - 1] = { ...before, kind, text: `${before.text}${joiner}${told.text}`, tone: told.tone };
  }
  return links;
}

function joinerOf(first: Moment['kind'], second: Moment['kind']): string | null {
  if (first === 'spawn' && second === 'ready') return ', and ';
  if (first === 'stopping' && second === 'exit') return ', and ';
  return null;
}

/** Lives that followed one another by themselves and ended alike are told as one. */
function foldLives(links: readonly Link[], lives: readonly Life[]): Moment[] {
  const groups = groupByLife(links);
  const folded: Moment[] = [];
  const foldedInto = new Map<number, number>();
  for (let at = 0; at < groups.length; ) {
    const group = groups[at] ?? [];
    const signature = signatureOf(group, lives);
    let end = at + 1;
    while (signature !== null && end < groups.length && signatureOf(groups[end] ?? [], lives) === signature) end += 1;
    const alike = groups.slice(at, end);
    if (alike.length < 2) folded.push(...group.map(plain));
    else {
      const all = alike.flat();
      const repeat = repeatOf(alike, lives);
      for (const { id } of all) foldedInto.set(id, repeat.id);
      folded.push(repeat);
    }
    at = end;
  }
  return folded.map((one) =>
    one.causedBy === null ? one : { ...one, causedBy: foldedInto.get(one.causedBy) ?? one.causedBy },
  );
}

function groupByLife(links: readonly Link[]): Link[][] {
  const groups: Link[][] = [];
  for (const link of links) {
    const group = groups.at(-1);
    if (group !== undefined && link.life !== null && group[0]?.life === link.life) group.push(link);
    else groups.push([link]);
  }
  return groups;
}

/** What lives must share to be told as one; `null` for what is told by itself. */
function signatureOf(group: readonly Link[], lives: readonly Life[]): string | null {
  const life = lifeOf(group, lives);
  if (life?.end == null) return null;
  return `${life.end}|${life.stopped ?? ''}|${group.some((one) => one.kind === 'ready')}`;
}

function lifeOf(group: readonly Link[], lives: readonly Life[]): Life | null {
  const index = group[0]?.life ?? null;
  return index === null ? null : (lives[index] ?? null);
}

function repeatOf(groups: readonly (readonly Link[])[], lives: readonly Life[]): Moment {
  const all = groups.flat();
  const [first] = all;
  const told = groups.flatMap((group) => lifeOf(group, lives) ?? []);
  const trouble = all.findLast((one) => one.kind === 'trouble')?.text ?? null;
  const ended = all.findLast((one) => one.kind !== 'backoff') ?? first;
  return {
    id: first?.id ?? 0,
    at: first?.at ?? 0,
    until: ended?.at ?? null,
    times: groups.length,
    kind: 'repeat',
    text: repeatText(told, trouble),
    tone: 'bad',
    causedBy: first?.causedBy ?? null,
  };
}

function repeatText(lives: readonly Life[], trouble: string | null): string {
  const times = lives.length === 2 ? 'twice' : `${lives.length} times`;
  const last = lives.at(-1);
  const ran = rangeText(lives.flatMap((one) => one.ranMs ?? []));
  const waits = lives.flatMap((one) =>
    one.waitedMs === null || one.waitedMs === 0 ? [] : formatDuration(one.waitedMs),
  );
  const again = waits.length === 0 ? '' : `; started again after ${listText(waits)}`;
  const said = trouble === null ? '' : `; at last: ${trouble}`;
  if (last?.notStarted != null) return `could not be started ${times}: ${last.notStarted.message}${again}`;
  switch (last?.stopped ?? null) {
    case null: {
      const [words = '', cause] = splitEnd(last?.end ?? '');
      if (cause === 'clean_exit') return `ended by itself ${times}, with exit code 0 each time${ran}${again}`;
      return `crashed ${times}, with ${words} each time${ran}${again}`;
    }
    case 'wedged':
      return `stopped answering ${times} and was restarted${ran}${said}`;
    case 'memory_drain':
      return `used more memory than it may ${times} and was stopped${ran}${said}`;
    case 'readiness_timeout':
      return `was not ready in time ${times} and was stopped${said}${again}`;
    default:
      return `was started and stopped ${times}${ran}`;
  }
}

/** `exit code 1 runtime_error` is the words of an end and its cause. */
function splitEnd(end: string): [string, string] {
  const at = end.lastIndexOf(' ');
  return at === -1 ? [end, ''] : [end.slice(0, at), end.slice(at + 1)];
}

function rangeText(spans: readonly number[]): string {
  if (spans.length === 0) return '';
  const least = formatDuration(Math.min(...spans));
  const most = formatDuration(Math.max(...spans));
  return least === most ? ` (after ${least})` : ` (after ${least} to ${most})`;
}

/** Long lists are cut in the middle: the first and the last of growing delays say it. */
function listText(items: readonly string[]): string {
  const shown = items.length > 5 ? [...items.slice(0, 3), '...', ...items.slice(-1)] : items;
  return shown.join(', ');
}

function plain({ life: _, ...moment }: Link): Moment {
  return moment;
}
