/**
 * What a client does when its supervisor is lost, decided without a clock, a file or a socket: which requests its
 * successor may be asked again, where the successor is looked for, and when that is given up.
 */
import type { ConnectFailure } from './client.ts';
import type { Notifications, RequestName, Requests } from './protocol.ts';

/**
 * `repeat`: asking twice does no more than asking once. `unless_done`: the same, with a word of what there was before.
 * `never`: nobody can tell whether it was done.
 */
export type Repetition = 'repeat' | 'unless_done' | 'never';

export function repetitionOf<Name extends RequestName>(name: Name, params: Requests[Name][0]): Repetition {
  switch (name) {
    case 'status':
    case 'subscribe':
    case 'wait':
    case 'up':
    case 'start':
    case 'stop':
    case 'reset':
    case 'reload':
    case 'reap':
    case 'down':
    case 'execWait':
    case 'execStop':
      return 'repeat';
    case 'restart':
      return 'unless_done';
    case 'exec':
      // A supervisor knows by the caller's own id that it has started the command already.
      return typeof (params as Requests['exec'][0]).id === 'string' ? 'repeat' : 'never';
    case 'hello':
      return 'never';
    default:
      return name satisfies never;
  }
}

/** The parameters of a repetition: of a time that was given, what is left after `elapsedMs`. */
export function paramsForRepetition<Name extends RequestName>(
  name: Name,
  params: Requests[Name][0],
  elapsedMs: number,
): Requests[Name][0] {
  if (name !== 'wait') return params;
  const wait = params as Requests['wait'][0];
  if (wait.timeoutMs === null) return params;
  const rest: Requests['wait'][0] = { ...wait, timeoutMs: Math.max(0, Math.round(wait.timeoutMs - elapsedMs)) };
  return rest as Requests[Name][0];
}

export interface SightedHolder {
  readonly pid: number;
  readonly endpoint: string;
  /** On another machine or in another container, as far as can be told from here. */
  readonly elsewhere: boolean;
}

/**
 * Whether somebody will take the place of a supervisor that was lost. `coming`: its guardian lives and sees to it.
 * `unknown`: there is none, or none that can be seen from here; another client may start one.
 */
export type Prospect = 'coming' | 'unknown' | { readonly gaveUp: string };

/** Who holds the workspace, as its lock says at one moment. */
export type Sight =
  | { readonly kind: 'holder'; readonly holder: SightedHolder }
  /** The lock names a supervisor that is proven gone: it was lost, and nobody has taken its place yet. */
  | { readonly kind: 'dead_holder'; readonly pid: number; readonly prospect: Prospect }
  /** The lock was released. */
  | { readonly kind: 'nobody' }
  /** The lock is torn, or cannot be read just now. */
  | { readonly kind: 'unclear'; readonly detail: string }
  /** The lock names an endpoint that is not safe to use. */
  | { readonly kind: 'refused'; readonly pid: number; readonly detail: string };

/** Why a client has no supervisor any more, for good. */
export type ClientEnd =
  /** `close` was called. */
  | { readonly kind: 'closed' }
  /** The supervisor ended in an orderly way: whoever asked for it, everything is stopped and the workspace is free. */
  | { readonly kind: 'ended'; readonly pid: number }
  /** It was lost, and no other came in its place. `said`: why its guardian has given up, in words. */
  | { readonly kind: 'no_successor'; readonly pid: number; readonly afterMs: number; readonly said: string | null }
  /** Somebody has the workspace who is no successor of ours, or one that cannot be talked to. */
  | { readonly kind: 'moved'; readonly pid: number; readonly holder: number; readonly detail: string };

/** The search for a successor. */
export interface Search {
  /** The supervisor that was lost. */
  readonly pid: number;
  readonly since: number;
  /** What it said of its own end; `null`: nothing. */
  readonly farewell: Notifications['closing'] | null;
  /** When the workspace was last seen without a living holder for the first time. */
  readonly deadSince: number;
  /** When a living holder was first seen that could not be talked to yet. */
  readonly heldSince: number | null;
  /** Looks in a row that found the workspace free. */
  readonly free: number;
}

export interface SearchLimits {
  /** So long may the workspace be without a living holder, ms. */
  readonly successorMs: number;
  /** The same while a guardian lives that is to bring one. */
  readonly guardedMs: number;
  /** So long may a living holder not listen: it takes over what it found, or finishes a drain. */
  readonly holderMs: number;
}

export const DEFAULT_SEARCH_LIMITS: SearchLimits = {
  successorMs: 10_000,
  // Between two losses in a row it waits up to a minute.
  guardedMs: 90_000,
  holderMs: 60_000,
};

export type SearchVerdict =
  | { readonly do: 'look'; readonly search: Search }
  | { readonly do: 'connect'; readonly search: Search; readonly holder: SightedHolder }
  | { readonly do: 'end'; readonly end: ClientEnd };

export function beginSearch(pid: number, now: number, farewell: Notifications['closing'] | null): Search {
  return { pid, since: now, farewell, deadSince: now, heldSince: null, free: 0 };
}

/** After a look at the lock. */
export function judgeSight(search: Search, sight: Sight, now: number, limits: SearchLimits): SearchVerdict {
  const { pid, farewell } = search;
  if (farewell !== null && isLastWord(farewell)) return { do: 'end', end: { kind: 'ended', pid } };
  const none: Search = { ...search, heldSince: null, free: 0 };
  switch (sight.kind) {
    case 'nobody':
      // Once more: a lock that was deleted is put back within seconds, and its copy is looked at as well.
      return search.free > 0
        ? { do: 'end', end: { kind: 'ended', pid } }
        : { do: 'look', search: { ...none, free: search.free + 1 } };
    case 'dead_holder':
    case 'unclear': {
      const prospect = sight.kind === 'unclear' ? 'unknown' : sight.prospect;
      const said = typeof prospect === 'object' ? prospect.gaveUp : null;
      // A successor that was there and is lost as well has a successor of its own, with all the time that there is.
      const deadSince = search.heldSince === null ? search.deadSince : now;
      const patienceMs = prospect === 'coming' ? limits.guardedMs : limits.successorMs;
      return said !== null || now - deadSince >= patienceMs
        ? { do: 'end', end: { kind: 'no_successor', pid, afterMs: now - search.since, said } }
        : { do: 'look', search: { ...none, deadSince } };
    }
    case 'refused':
      return { do: 'end', end: { kind: 'moved', pid, holder: sight.pid, detail: sight.detail } };
    case 'holder':
      return { do: 'connect', search: { ...none, heldSince: search.heldSince ?? now }, holder: sight.holder };
    default:
      return sight satisfies never;
  }
}

/** After an attempt to connect to `holder` that failed. */
export function judgeAttempt(
  search: Search,
  holder: SightedHolder,
  failure: ConnectFailure,
  now: number,
  limits: SearchLimits,
): SearchVerdict {
  const moved = (detail: string): SearchVerdict => ({
    do: 'end',
    end: { kind: 'moved', pid: search.pid, holder: holder.pid, detail },
  });
  switch (failure.reason) {
    case 'not_listening':
    case 'no_answer':
      if (holder.elsewhere) return moved('it runs on another machine or in another container');
      return now - (search.heldSince ?? now) < limits.holderMs
        ? { do: 'look', search }
        : moved('it does not answer; it may be stopped or stuck');
    case 'no_permission':
    case 'version_mismatch':
    case 'refused':
      return moved(failure.detail);
    default:
      return failure satisfies never;
  }
}

/** How long to wait before the next look, ms: a lock costs 0.3 ms to look at, and a successor comes within a second or so. */
export function pauseBefore(look: number): number {
  return Math.min(15 * 1.5 ** look, 150);
}

/** After these words nobody takes its place. */
function isLastWord({ why }: Notifications['closing']): boolean {
  switch (why) {
    case 'asked':
    case 'workspace_gone':
      return true;
    case 'lock_lost':
    case 'cannot_serve':
      return false;
    default:
      return why satisfies never;
  }
}
