/** A world of processes, timers and people around one service: it obeys what the policy asks for, and is unkind. */

import type { ExitStatus } from '../../../../server/process/types.ts';
import { initialState, type ServiceState, type step } from '../../../../server/service/policy/policy.ts';
import { restore, snapshot } from '../../../../server/service/policy/snapshot.ts';
import type { ServicePolicySettings, Step } from '../../../../server/service/policy/state.ts';
import type { ServiceAction, ServiceEvent, TimerName } from '../../../../server/service/policy/types.ts';
import type { Seeded } from './seeded.ts';

export type Policy = typeof step;

export interface Tree {
  readonly incarnation: number;
  /** The leader's end was not told yet. */
  leader: boolean;
}

/** What really is, as far as the checker and the next event need it. */
export interface Facts {
  now: number;
  settings: ServicePolicySettings;
  state: ServiceState;
  /** A launch that was not answered yet. */
  launching: number | null;
  tree: Tree | null;
  ending: { readonly how: 'terminate' | 'reap'; readonly incarnation: number } | null;
  readonly timers: Map<TimerName, { readonly at: number; readonly incarnation: number }>;
  watched: number | null;
}

export interface Observer {
  event(facts: Facts, event: ServiceEvent): void;
  /** Before the action is carried out. */
  action(facts: Facts, action: ServiceAction): void;
  done(facts: Facts, before: ServiceState, event: ServiceEvent, step: Step): void;
  succeeded(facts: Facts): void;
}

export class World {
  readonly facts: Facts;
  readonly #policy: Policy;
  readonly #seeded: Seeded;
  readonly #observer: Observer;
  /** Fired, and not yet delivered when they were disarmed. */
  #lateTimer: ServiceEvent | null = null;
  events = 0;

  constructor(policy: Policy, settings: ServicePolicySettings, seeded: Seeded, observer: Observer) {
    this.#policy = policy;
    this.#seeded = seeded;
    this.#observer = observer;
    this.facts = {
      now: 1_700_000_000_000,
      settings,
      state: initialState(),
      launching: null,
      tree: null,
      ending: null,
      timers: new Map(),
      watched: null,
    };
  }

  /** One thing happens. */
  tick(): void {
    this.#passTime();
    const dice = this.#seeded.next();
    if (dice < 0.09) this.#askSomething();
    else if (dice < 0.13) this.#saySomethingStale();
    else if (dice < 0.132) this.#killSupervisor();
    else if (dice < 0.14) this.dispatch(this.#anything(this.facts.state.incarnation + 1));
    else this.#liveOn();
  }

  dispatch(event: ServiceEvent): void {
    const { facts } = this;
    this.events += 1;
    this.#observer.event(facts, event);
    const before = facts.state;
    const made = this.#policy(before, event, facts.now, facts.settings, this.#seeded.next);
    facts.state = made.state;
    for (const action of made.actions) {
      this.#observer.action(facts, action);
      this.#obey(action);
    }
    this.#observer.done(facts, before, event, made);
  }

  #obey(action: ServiceAction): void {
    const { facts } = this;
    switch (action.type) {
      case 'spawn':
        facts.launching = action.incarnation;
        return;
      case 'terminate':
      case 'reap':
        facts.ending = { how: action.type, incarnation: action.incarnation };
        return;
      case 'arm':
        facts.timers.set(action.timer, action);
        return;
      case 'disarm': {
        const timer = facts.timers.get(action.timer);
        if (timer !== undefined && timer.at <= facts.now) {
          this.#lateTimer = { type: 'timer', timer: action.timer, incarnation: timer.incarnation };
        }
        facts.timers.delete(action.timer);
        return;
      }
      case 'watch':
        facts.watched = action.incarnation;
        return;
      case 'unwatch':
        facts.watched = null;
        return;
      case 'journal':
        return;
      default:
        action satisfies never;
    }
  }

  #passTime(): void {
    const { facts } = this;
    const dice = this.#seeded.next();
    if (dice < 0.5) return;
    if (dice < 0.9) facts.now += this.#seeded.below(2_000);
    else if (dice < 0.98) facts.now += this.#seeded.below(90_000);
    else if (dice < 0.998) facts.now += this.#seeded.below(400_000);
    else if (dice < 0.9995) facts.now += this.#seeded.below(2 * 3_600_000);
    else facts.now -= this.#seeded.below(2 * 3_600_000);
  }

  #askSomething(): void {
    const dice = this.#seeded.next();
    const failed = this.facts.state.name === 'failed';
    if (dice < 0.45) this.dispatch({ type: 'start' });
    else if (dice < 0.6) this.dispatch({ type: 'stop' });
    else if (dice < 0.75) this.dispatch({ type: 'restart' });
    else if (failed || dice > 0.95) this.dispatch({ type: 'reset' });
    else this.#liveOn();
  }

  /** Something of an incarnation that is over, or a timer that was disarmed too late. */
  #saySomethingStale(): void {
    const late = this.#lateTimer;
    this.#lateTimer = null;
    if (late !== null) this.dispatch(late);
    else this.dispatch(this.#anything(this.facts.state.incarnation - 1 - this.#seeded.below(3)));
  }

  #anything(incarnation: number): ServiceEvent {
    const message = 'no answer';
    return this.#seeded.pick<ServiceEvent>([
      { type: 'spawned', incarnation },
      { type: 'spawn_failed', incarnation, message },
      { type: 'exited', incarnation, status: this.#exit() },
      { type: 'emptied', incarnation, confirmed: 1, survivors: 0 },
      { type: 'emptied', incarnation, confirmed: 1, survivors: 1 },
      { type: 'probe_ready', incarnation },
      { type: 'readiness_timeout', incarnation, message },
      { type: 'live', incarnation, ok: this.#seeded.chance(0.5), message },
      { type: 'memory', incarnation, level: this.#seeded.pick(['ok', 'warn', 'over']), bytes: 1 },
      { type: 'idle', incarnation },
      { type: 'timer', timer: 'respawn', incarnation },
      { type: 'timer', timer: 'recovery', incarnation },
    ]);
  }

  /** A successor knows the snapshot and finds the tree; the exit record tells it again how the leader ended. */
  #killSupervisor(): void {
    const { facts } = this;
    const kept = restore(JSON.parse(JSON.stringify(snapshot(facts.state))));
    if (kept === null) throw new Error(`snapshot of ${facts.state.name} could not be restored`);
    if (facts.launching !== null) return;
    facts.timers.clear();
    facts.watched = null;
    facts.ending = null;
    facts.state = kept.state;
    const { tree } = facts;
    this.#observer.succeeded(facts);
    if (tree === null) {
      if (kept.wanted) this.dispatch({ type: 'start' });
      return;
    }
    tree.leader = true;
    const { incarnation } = tree;
    this.dispatch({ type: 'adopted', incarnation, ready: this.#seeded.chance(0.5), startedAt: facts.now });
    if (!kept.keepable) this.dispatch({ type: kept.wanted ? 'restart' : 'stop' });
  }

  #liveOn(): void {
    const { facts } = this;
    if (facts.launching !== null) this.#answerLaunch(facts.launching);
    else if (facts.ending !== null) this.#endOn(facts.ending);
    else if (facts.tree !== null) this.#runOn(facts.tree.incarnation);
    else if (!this.#fire('respawn')) this.dispatch({ type: this.#seeded.chance(0.3) ? 'start' : 'reset' });
  }

  #answerLaunch(incarnation: number): void {
    this.facts.launching = null;
    if (this.#seeded.chance(0.1)) {
      this.dispatch({ type: 'spawn_failed', incarnation, message: 'command not found' });
      return;
    }
    this.facts.tree = { incarnation, leader: true };
    this.dispatch({ type: 'spawned', incarnation });
  }

  #endOn({ incarnation }: { readonly incarnation: number }): void {
    const { facts } = this;
    const survivors = this.#seeded.chance(0.002) ? 1 + this.#seeded.below(3) : 0;
    if (facts.tree?.leader && survivors === 0) {
      facts.tree.leader = false;
      this.dispatch({ type: 'exited', incarnation, status: this.#exit() });
      return;
    }
    facts.ending = null;
    facts.tree = null;
    this.dispatch({ type: 'emptied', incarnation, confirmed: this.#seeded.below(3), survivors });
  }

  #runOn(incarnation: number): void {
    const { facts } = this;
    const starting = facts.state.name === 'starting';
    const dice = this.#seeded.next();
    const message = 'no answer';
    if (dice < 0.3 && facts.tree !== null) {
      facts.tree.leader = false;
      this.dispatch({ type: 'exited', incarnation, status: this.#exit() });
    } else if (starting && dice < 0.7) this.dispatch({ type: 'probe_ready', incarnation });
    else if (starting && dice < 0.8) this.dispatch({ type: 'readiness_timeout', incarnation, message });
    else if (dice < 0.8) this.dispatch({ type: 'live', incarnation, ok: this.#seeded.chance(0.6), message });
    else if (dice < 0.86) {
      const level = this.#seeded.pick<'ok' | 'warn' | 'over'>(['ok', 'ok', 'warn', 'warn', 'over']);
      this.dispatch({ type: 'memory', incarnation, level, bytes: 1 });
    } else if (dice < 0.87) this.dispatch({ type: 'idle', incarnation });
    else if (!this.#fire('recovery')) this.dispatch({ type: 'live', incarnation, ok: true, message: '' });
  }

  /** Timers fire when they are due; now and then a millisecond early, as Node's do. */
  #fire(timer: TimerName): boolean {
    const { facts } = this;
    const armed = facts.timers.get(timer);
    if (armed === undefined) return false;
    const early = this.#seeded.chance(0.05) ? 1 : 0;
    // After a clock was set back the timer still fires when its own time has passed.
    const setBack = armed.at - facts.now > 90_000;
    if (!setBack) facts.now = Math.max(facts.now, armed.at - early);
    facts.timers.delete(timer);
    this.dispatch({ type: 'timer', timer, incarnation: armed.incarnation });
    return true;
  }

  #exit(): ExitStatus {
    return this.#seeded.pick<ExitStatus>([
      { code: 0, signal: null },
      { code: 0, signal: null },
      { code: 1, signal: null },
      { code: null, signal: 'SIGKILL' },
      { code: null, signal: null },
    ]);
  }
}
