/** Watches a world and says so as soon as the policy breaks a promise; knows nothing of how the policy decides. */
import { isWanted, type ServiceState } from '../../../../server/service/policy/policy.ts';
import type { Step } from '../../../../server/service/policy/state.ts';
import type { ServiceAction, ServiceEvent } from '../../../../server/service/policy/types.ts';
import { Oracle } from './oracle.ts';
import type { Facts, Observer } from './world.ts';

export class Violation extends Error {}

const REMEMBERED = 30;

export class Checker implements Observer {
  readonly #oracle = new Oracle();
  readonly #recent: string[] = [];
  #lastSpawned = 0;
  /** Liveness failures in a row of this incarnation. */
  #failures = 0;
  /** No respawn before that time: the base delay, without jitter, from the end of the last incarnation. */
  #earliest: number | null = null;
  #latest = Number.NEGATIVE_INFINITY;
  /** The crash of a readiness timeout, whose delay starts when the process ended. */
  #owedDelay: number | null = null;
  readonly #record: boolean;

  /** `record` keeps the last events for a report; it costs more than the policy itself. */
  constructor(record: boolean) {
    this.#record = record;
  }

  event(facts: Facts, event: ServiceEvent): void {
    if (facts.now < this.#latest) this.#earliest = null;
    this.#latest = facts.now;
    if (!this.#isStale(facts, event)) this.#account(facts, event);
  }

  action(facts: Facts, action: ServiceAction): void {
    const { incarnation } = facts.state;
    switch (action.type) {
      case 'spawn':
        this.#demand(facts.tree === null && facts.launching === null, 'spawned beside a living tree');
        this.#demand(facts.ending === null, 'spawned before the last end was answered');
        this.#demand(this.#oracle.blocked === null, `spawned though blocked by ${this.#oracle.blocked}`);
        this.#demand(this.#oracle.wanted, 'spawned though nobody wants it to run');
        this.#demand(facts.state.name === 'starting', `spawned in ${facts.state.name}`);
        this.#demand(action.incarnation === incarnation, 'spawned another incarnation than its own');
        this.#demand(action.incarnation > this.#lastSpawned, 'gave an incarnation number twice');
        this.#demand(this.#earliest === null || facts.now >= this.#earliest, 'spawned before the delay was over');
        this.#lastSpawned = action.incarnation;
        this.#forgetDelay();
        this.#failures = 0;
        return;
      case 'terminate':
        this.#demand(action.incarnation === incarnation, 'terminates another incarnation');
        this.#demand(facts.ending === null, 'ends a tree twice');
        this.#demand(facts.launching !== null || facts.tree?.leader === true, 'terminates what has ended');
        return;
      case 'reap':
        this.#demand(action.incarnation === incarnation, 'reaps another incarnation');
        this.#demand(facts.ending === null, 'ends a tree twice');
        this.#demand(facts.tree?.leader === false, 'reaps under a living leader');
        return;
      case 'arm':
        // One that fires late finds its successor armed, and arms the very same again.
        this.#demand((facts.timers.get(action.timer)?.at ?? action.at) === action.at, `armed ${action.timer} twice`);
        this.#demand(action.incarnation === incarnation, 'armed a timer for another incarnation');
        return;
      case 'watch':
        this.#demand(action.incarnation === incarnation, 'watches another incarnation');
        this.#demand(facts.tree?.leader === true, 'watches what does not run');
        return;
      case 'unwatch':
      case 'disarm':
        return;
      case 'journal':
        if ('crashes' in action.entry) {
          this.#demand(action.entry.crashes === this.#oracle.crashes, 'journals another count of crashes');
        }
        return;
      default:
        action satisfies never;
    }
  }

  done(facts: Facts, before: ServiceState, event: ServiceEvent, made: Step): void {
    const { state } = facts;
    if (this.#record) this.#remember(facts, before, event, made);
    if (before.name === 'failed' && state.name !== 'failed') this.#leftFailed(event, before.failure.why.reason);
    if (event.type !== 'adopted' && 'incarnation' in event && event.incarnation !== before.incarnation) {
      this.#demand(state === before && made.actions.length === 0, 'a stale event did something');
    }
    const { name, accounting } = state;
    this.#demand(
      accounting.crashes === this.#oracle.crashes,
      `counts ${accounting.crashes}, not ${this.#oracle.crashes} crashes`,
    );
    this.#demand(isWanted(state) === this.#oracle.wanted, `is ${name}, yet wanted is ${this.#oracle.wanted}`);
    this.#demand(
      blockOf(state) === this.#oracle.blocked,
      `is blocked by ${blockOf(state)}, not ${this.#oracle.blocked}`,
    );
    this.#demand(facts.timers.has('respawn') === (name === 'backoff' && !state.reaping), 'respawn timer does not fit');
    this.#demand(
      facts.timers.has('recovery') === (name === 'ready' && state.recoverAt !== null),
      'recovery timer does not fit',
    );
    const running = name === 'ready' || name === 'degraded' || (name === 'starting' && state.launched);
    this.#demand(
      facts.watched === (running ? state.incarnation : null),
      'watches though it does not run, or does not watch',
    );
    this.#demand(
      running === (facts.tree?.leader === true && facts.ending === null),
      `is ${name}, which is not what is`,
    );
    const ending = name === 'stopping' || (name === 'backoff' && state.reaping);
    this.#demand(ending === (facts.ending !== null), `is ${name}, yet what is being ended is another matter`);
    this.#demand(facts.tree === null || running || ending, 'has forgotten a tree');
  }

  succeeded(facts: Facts): void {
    this.#forgetDelay();
    this.#failures = 0;
    if (this.#record) this.#recent.push(`    the supervisor was killed; a successor restores ${facts.state.name}`);
  }

  #account(facts: Facts, event: ServiceEvent): void {
    const { state, settings, now } = facts;
    const oracle = this.#oracle;
    const runs = facts.tree !== null && facts.ending === null && state.name !== 'stopped';
    switch (event.type) {
      case 'start':
        // Only a service that waits to respawn by itself owes a delay.
        if (!oracle.wanted) this.#forgetDelay();
        oracle.ask();
        return;
      case 'restart':
        oracle.ask();
        this.#forgetDelay();
        return;
      case 'stop':
        oracle.wanted = false;
        this.#forgetDelay();
        return;
      case 'reset':
        if (state.name === 'failed') oracle.reset();
        return;
      case 'spawn_failed':
        if (facts.ending === null) this.#crash(facts);
        this.#earliest = this.#owedDelay === null ? this.#earliest : now + this.#owedDelay;
        this.#owedDelay = null;
        return;
      case 'exited':
        if (runs) this.#exitedByItself(facts, event);
        this.#earliest = this.#owedDelay === null ? this.#earliest : now + this.#owedDelay;
        this.#owedDelay = null;
        return;
      case 'emptied':
        if (event.survivors > 0) oracle.survived();
        return;
      case 'readiness_timeout':
        if (runs && state.name === 'starting') this.#crash(facts);
        return;
      case 'live':
        if (!runs || state.name === 'starting') return;
        this.#failures = event.ok ? 0 : this.#failures + 1;
        if (this.#failures >= settings.failures) oracle.wedge(now, settings);
        return;
      case 'memory':
        if (runs && event.level === 'over') oracle.drain(now, settings);
        return;
      case 'idle':
        if (runs && state.name !== 'starting') oracle.wanted = false;
        return;
      case 'timer':
        if (event.timer === 'recovery' && state.name === 'ready') this.#recover(state.recoverAt, now);
        return;
      case 'adopted':
        if (state.name === 'stopped') oracle.wanted = true;
        return;
      case 'spawned':
      case 'probe_ready':
        return;
      default:
        event satisfies never;
    }
  }

  #forgetDelay(): void {
    this.#earliest = null;
    this.#owedDelay = null;
  }

  #exitedByItself(facts: Facts, { status }: Extract<ServiceEvent, { type: 'exited' }>): void {
    if (status.code !== 0 || status.signal !== null) {
      this.#crash(facts);
      return;
    }
    const next = this.#oracle.cleanExit(facts.now, facts.settings);
    this.#owedDelay = next === 'slowed' ? 1000 : 0;
  }

  #crash({ now, settings }: Facts): void {
    this.#oracle.crash(now, settings);
    const { initialMs, maxMs } = settings.backoff;
    this.#owedDelay = Math.min(initialMs * 2 ** (this.#oracle.crashes - 1), maxMs);
  }

  #recover(recoverAt: number | null, now: number): void {
    if (recoverAt !== null && now >= recoverAt) this.#oracle.recovery();
    // A clock that was set back by more than the whole time leaves the timer to decide.
    else if (recoverAt !== null && recoverAt - now > 60_000) this.#oracle.recovery();
  }

  #leftFailed(event: ServiceEvent, reason: string): void {
    const asked = event.type === 'start' || event.type === 'restart';
    const allowed = event.type === 'reset' || event.type === 'adopted' || (asked && reason === 'not_restarted');
    this.#demand(allowed, `left failed by ${event.type}`);
  }

  #isStale(facts: Facts, event: ServiceEvent): boolean {
    return 'incarnation' in event && event.type !== 'adopted' && event.incarnation !== this.#current(facts);
  }

  /** The incarnation that the world has, and not what the policy believes. */
  #current(facts: Facts): number {
    return facts.tree?.incarnation ?? Math.max(this.#lastSpawned, facts.state.incarnation);
  }

  #remember(facts: Facts, before: ServiceState, event: ServiceEvent, made: Step): void {
    const actions = made.actions.map((action) => (action.type === 'journal' ? action.entry.event : action.type));
    const { type, ...rest } = event;
    this.#recent.push(
      `${facts.now} ${before.name} -${type}-> ${made.state.name} ${JSON.stringify(rest)} [${actions.join(', ')}]`,
    );
    if (this.#recent.length > 2 * REMEMBERED) this.#recent.splice(0, this.#recent.length - REMEMBERED);
  }

  #demand(kept: boolean, broken: string): void {
    if (!kept) throw new Violation([broken, ...this.#recent.slice(-REMEMBERED)].join('\n'));
  }
}

/** What the policy says, in the oracle's words. */
function blockOf(state: ServiceState): string | null {
  if (state.name === 'failed') return state.failure.why.reason;
  return state.name === 'stopping' && state.purpose.kind === 'fail' ? state.purpose.failure.why.reason : null;
}
