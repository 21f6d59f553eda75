import { initialState, type ServiceState, step } from '../../../server/service/policy/policy.ts';
import type { ServicePolicySettings } from '../../../server/service/policy/state.ts';
import type { ServiceAction, ServiceEvent, ServiceJournalEntry } from '../../../server/service/policy/types.ts';
import { defaults, NOW } from './policyCases.ts';

type Told<T extends ServiceEvent['type']> = Omit<Extract<ServiceEvent, { type: T }>, 'type' | 'incarnation'>;

/** A policy with a clock: says what happens to the current incarnation and keeps what was to be done. */
export class DrivenPolicy {
  state: ServiceState;
  now = NOW;
  /** Of the last event. */
  actions: readonly ServiceAction[] = [];
  readonly journal: ServiceJournalEntry[] = [];
  readonly settings: ServicePolicySettings;

  constructor(settings: Partial<ServicePolicySettings> = {}, state: ServiceState = initialState()) {
    this.settings = { ...defaults, ...settings };
    this.state = state;
  }

  event(event: ServiceEvent): this {
    const { state, actions } = step(this.state, event, this.now, this.settings, () => 0);
    this.state = state;
    this.actions = actions;
    for (const action of actions) if (action.type === 'journal') this.journal.push(action.entry);
    return this;
  }

  /** Something happens to the incarnation that runs or is being ended. */
  its<T extends ServiceEvent['type']>(type: T, ...told: keyof Told<T> extends never ? [] : [Told<T>]): this {
    return this.event({ type, incarnation: this.state.incarnation, ...told[0] } as ServiceEvent);
  }

  wait(milliseconds: number): this {
    this.now += milliseconds;
    return this;
  }

  ready(): this {
    if (this.state.name !== 'starting') this.event({ type: 'start' });
    return this.its('spawned').its('probe_ready');
  }

  exit(code: number): this {
    return this.its('exited', { status: { code, signal: null } });
  }

  emptied(survivors = 0): this {
    return this.its('emptied', { confirmed: 0, survivors });
  }

  /** Exit 1, reaped, and the delay waited for; a spent budget ends it. */
  crash(): this {
    this.exit(1).emptied();
    if (this.state.name === 'backoff') this.wait(this.state.delayMs).its('timer', { timer: 'respawn' });
    return this;
  }

  /** What the last event asked for, journal aside. */
  get asked(): string[] {
    return this.actions.flatMap((action) => (action.type === 'journal' ? [] : [action.type]));
  }

  last<T extends ServiceJournalEntry['event']>(event: T): Extract<ServiceJournalEntry, { event: T }> | undefined {
    return this.journal.findLast((entry) => entry.event === event) as
      | Extract<ServiceJournalEntry, { event: T }>
      | undefined;
  }
}
