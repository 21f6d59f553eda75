/**
 * A client that outlives its supervisor. When that is lost, the successor is looked for, greeted in the same name, and
 * asked again what was not answered yet; whoever uses the client sees a request that took a little longer.
 */
import { randomHex } from '../store/names.ts';
import {
  DEFAULT_REQUEST_TIMEOUT_MS,
  type RequestFailure,
  type RequestOptions,
  type RequestResult,
  type SupervisorClient,
} from './client.ts';
import type { HelloResult, Notifications, RequestName, Requests, StatusResult } from './protocol.ts';
import {
  type ClientEnd,
  DEFAULT_SEARCH_LIMITS,
  paramsForRepetition,
  pauseBefore,
  repetitionOf,
  type SearchLimits,
} from './reconnect.ts';
import { findSuccessor, type Lost, pause, type SearchOptions } from './successor.ts';

export type LinkNews =
  /** The supervisor is lost; its successor is looked for. */
  | { readonly kind: 'lost'; readonly pid: number }
  /** There is one again; `status` is its answer to `subscribe`, `null` for a client that has not subscribed. */
  | { readonly kind: 'back'; readonly pid: number; readonly lost: number; readonly status: StatusResult | null };

/** `hello` is that of the supervisor which was spoken to last. `onClose` is called when there is none any more for good. */
export interface ResilientClient extends SupervisorClient {
  /** `null` as long as there is a supervisor, or one is looked for. */
  readonly end: ClientEnd | null;
  /** The supervisor was lost, and its successor is not there yet. */
  readonly searching: boolean;
  /** The caller would rather start a supervisor than wait for one that nobody is known to bring. */
  hurry(): void;
  /** Returns what takes the listener back. */
  onLink(listener: (news: LinkNews) => void): () => void;
}

/** Least time for the answer to a repeated request, whatever of its own time is over. */
const LEAST_TIMEOUT_MS = 5_000;
/** In a hurry: so long may a workspace be without a supervisor or a guardian that brings one. */
const HURRIED_MS = 1_000;

export interface ResilientOptions extends Omit<SearchOptions, 'limits'> {
  readonly limits?: SearchLimits;
}

/** Takes `client` over: it is not to be used by anyone else from here on. */
export function makeResilient(client: SupervisorClient, options: ResilientOptions): ResilientClient {
  return new Resilient(client, options);
}

type Link =
  | { readonly kind: 'linked'; readonly client: SupervisorClient }
  | { readonly kind: 'searching'; readonly over: Promise<void> }
  | { readonly kind: 'over'; readonly end: ClientEnd };

class Resilient implements ResilientClient {
  readonly #options: SearchOptions;
  #limits: SearchLimits;
  readonly #linkListeners = new Set<(news: LinkNews) => void>();
  readonly #closeListeners: (() => void)[] = [];
  readonly #stopped = new AbortController();
  /** Commands that end with this connection, so that every supervisor has to know whose they are. */
  readonly #commands = new Map<string, Requests['exec'][0]>();
  #changed: (change: Notifications['changed']) => void = () => {};
  #subscribed = false;
  #link: Link;
  #hello: HelloResult;
  farewell: Notifications['closing'] | null = null;

  constructor(client: SupervisorClient, options: ResilientOptions) {
    this.#limits = options.limits ?? DEFAULT_SEARCH_LIMITS;
    this.#options = { ...options, limits: () => this.#limits };
    this.#hello = client.hello;
    this.#link = { kind: 'linked', client };
    this.#use(client);
  }

  get hello(): HelloResult {
    return this.#hello;
  }

  get end(): ClientEnd | null {
    return this.#link.kind === 'over' ? this.#link.end : null;
  }

  get searching(): boolean {
    return this.#link.kind === 'searching';
  }

  async request<Name extends RequestName>(
    name: Name,
    params: Requests[Name][0],
    options: RequestOptions = {},
  ): Promise<RequestResult<Requests[Name][1]>> {
    if (name === 'subscribe') this.#subscribed = true;
    if (name === 'restart') {
      const answer = await this.#restart(params as Requests['restart'][0], options);
      return answer as RequestResult<Requests[Name][1]>;
    }
    // A successor knows by it which run of tasks it goes on with, and begins no other.
    const named = name === 'up' || name === 'start' ? { id: newId(), ...params } : params;
    const answer = await this.#ask(name, named, options);
    this.#remember(name, params, answer.ok);
    return answer;
  }

  hurry(): void {
    this.#limits = { ...this.#limits, successorMs: Math.min(this.#limits.successorMs, HURRIED_MS) };
  }

  onChanged(listener: (change: Notifications['changed']) => void): void {
    this.#changed = listener;
  }

  onLink(listener: (news: LinkNews) => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  onClose(listener: () => void): void {
    if (this.#link.kind === 'over') queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  close(): void {
    const link = this.#link;
    this.#finish({ kind: 'closed' });
    if (link.kind === 'linked') link.client.close();
  }

  async #ask<Name extends RequestName>(
    name: Name,
    params: Requests[Name][0],
    options: RequestOptions,
    mayRepeat = repetitionOf(name, params) === 'repeat',
  ): Promise<RequestResult<Requests[Name][1]>> {
    const limit = options.timeoutMs === undefined ? DEFAULT_REQUEST_TIMEOUT_MS : options.timeoutMs;
    const began = performance.now();
    for (let lost: number | null = null; ; ) {
      const client = await this.#linked(options.timeoutMs ?? null, began);
      if (client === 'late')
        return failed({ reason: 'timeout', request: name, afterMs: limit ?? 0, pid: this.#hello.pid });
      if (client === null) return failed(this.#endFailure(name));
      const elapsed = performance.now() - began;
      const timeoutMs =
        limit === null || lost === null ? limit : Math.max(limit - elapsed, Math.min(limit, LEAST_TIMEOUT_MS));
      const { pid } = client.hello;
      const answer = await client.request(name, lost === null ? params : paramsForRepetition(name, params, elapsed), {
        timeoutMs,
      });
      if (answer.ok) return lost === null ? answer : { ...answer, repeated: true };
      if (answer.failure.reason !== 'connection_lost') return answer;
      await new Promise<void>((resolve) => client.onClose(resolve));
      if (!mayRepeat) {
        const next = await this.#linked(null, began);
        if (next === null || next === 'late') return failed(this.#endFailure(name));
        return failed({ reason: 'not_repeated', request: name, pid, successor: next.hello.pid });
      }
      lost = pid;
    }
  }

  /** A successor is told what there was before, so that it knows what was restarted already. */
  async #restart(
    params: Requests['restart'][0],
    options: RequestOptions,
  ): Promise<RequestResult<Requests['restart'][1]>> {
    const status = await this.#ask('status', {}, options);
    if (!status.ok) return failed({ ...status.failure, request: 'restart' });
    const since = Object.fromEntries(status.value.services.map((one) => [one.name, one.incarnation]));
    const running = status.value.services.filter((one) => one.pid !== null).map((one) => one.name);
    const names = params.names.length > 0 ? params.names : running;
    const first = await this.#ask('restart', params, options, false);
    if (first.ok || first.failure.reason !== 'not_repeated') return first;
    // No names would mean all.
    if (names.length === 0) return { ok: true, value: { outcomes: [] }, repeated: true };
    const again = await this.#ask('restart', { names, since }, options, true);
    return again.ok ? { ...again, repeated: true } : again;
  }

  /** What a successor has to be told besides the requests that are open. */
  #remember<Name extends RequestName>(name: Name, params: Requests[Name][0], ok: boolean): void {
    if (!ok) return;
    if (name === 'exec') {
      const command = params as Requests['exec'][0];
      if (command.session === null && command.id !== undefined) this.#commands.set(command.id, command);
    } else if (name === 'execWait' || name === 'execStop') {
      this.#commands.delete((params as Requests['execWait'][0]).id);
    }
  }

  /** Waits for a supervisor; `null`: there is none any more, `late`: not within `timeoutMs` from `began` on. */
  async #linked(timeoutMs: number | null, began: number): Promise<SupervisorClient | null | 'late'> {
    for (;;) {
      const link = this.#link;
      switch (link.kind) {
        case 'linked':
          return link.client;
        case 'over':
          return null;
        case 'searching': {
          if (timeoutMs === null) {
            await link.over;
            break;
          }
          const late = await raceTime(link.over, timeoutMs - (performance.now() - began));
          if (late) return 'late';
          break;
        }
        default:
          return link satisfies never;
      }
    }
  }

  #use(client: SupervisorClient): void {
    client.onChanged((change) => this.#changed(change));
    client.onClose(() => this.#lose(client));
  }

  #lose(client: SupervisorClient): void {
    if (this.#link.kind !== 'linked' || this.#link.client !== client) return;
    this.farewell = client.farewell;
    let settle: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#link = { kind: 'searching', over };
    void this.#search({ pid: client.hello.pid, farewell: client.farewell }).then(settle);
  }

  async #search(from: Lost): Promise<void> {
    const onLoss = (): void => this.#tell({ kind: 'lost', pid: from.pid });
    // One that goes away again while it is greeted was lost as well; its own successor has all the time that there is.
    for (let lost = from, round = 0; ; round += 1) {
      if (round > 0) await pause(pauseBefore(round), this.#stopped.signal);
      const result = await findSuccessor(lost, this.#options, this.#stopped.signal, onLoss);
      if (result.kind === 'end') return this.#finish(result.end);
      const { client } = result;
      if (await this.#restore(client, from.pid)) return;
      client.close();
      lost = { pid: client.hello.pid, farewell: client.farewell };
    }
  }

  /** `false`: it went away again meanwhile. */
  async #restore(client: SupervisorClient, lost: number): Promise<boolean> {
    if (client.hello.workspace.stateDir !== this.#hello.workspace.stateDir) {
      client.close();
      const { pid } = client.hello;
      this.#finish({
        kind: 'moved',
        pid: lost,
        holder: pid,
        detail: 'it keeps its state elsewhere, and has not taken over',
      });
      return true;
    }
    const leave = (): void => client.close();
    this.#stopped.signal.addEventListener('abort', leave, { once: true });
    client.onChanged((change) => this.#changed(change));
    // Commands first: each of them ends when nobody who is connected answers for it.
    for (const command of this.#commands.values()) {
      const attached = await client.request('exec', command);
      if (!attached.ok && attached.failure.reason === 'connection_lost') return false;
    }
    const answer = this.#subscribed ? await client.request('subscribe', {}) : null;
    this.#stopped.signal.removeEventListener('abort', leave);
    // Any other failure is that of whoever asks next.
    if (this.#link.kind === 'over' || (answer?.ok === false && answer.failure.reason === 'connection_lost'))
      return false;
    this.#hello = client.hello;
    this.farewell = null;
    this.#link = { kind: 'linked', client };
    this.#tell({ kind: 'back', pid: client.hello.pid, lost, status: answer?.ok ? answer.value : null });
    this.#use(client);
    return true;
  }

  #tell(news: LinkNews): void {
    for (const listener of [...this.#linkListeners]) listener(news);
  }

  #finish(end: ClientEnd): void {
    if (this.#link.kind === 'over') return;
    this.#link = { kind: 'over', end };
    this.#stopped.abort();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  #endFailure(request: RequestName): RequestFailure {
    const end = this.end ?? { kind: 'closed' };
    switch (end.kind) {
      case 'closed':
        return { reason: 'connection_lost', request, pid: this.#hello.pid };
      case 'ended':
        return { reason: 'ended', request, pid: end.pid };
      case 'no_successor':
        return { reason: 'no_successor', request, pid: end.pid, afterMs: end.afterMs, said: end.said };
      case 'moved':
        return { reason: 'moved', request, pid: end.pid, holder: end.holder, detail: end.detail };
      default:
        return end satisfies never;
    }
  }
}

function failed(failure: RequestFailure): { readonly ok: false; readonly failure: RequestFailure } {
  return { ok: false, failure };
}

/** Sorts by time. */
function newId(): string {
  return `${Date.now().toString(36)}-${randomHex(8)}`;
}

/** `true`: the time was over first. */
async function raceTime(event: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), Math.max(0, timeoutMs));
  });
  const first = await Promise.race([event.then(() => false), late]);
  clearTimeout(timer);
  return first;
}
