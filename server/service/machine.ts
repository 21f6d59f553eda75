import type { EmptyProof } from '../process/types.ts';
import type { WorkspaceHost } from './host.ts';
import { initialState, type ServicePolicySettings, type ServiceState, step } from './policy/policy.ts';
import type { LastExit, ServiceAction, ServiceEvent, TimerName } from './policy/types.ts';
import { PolicyTimers } from './timers.ts';

/** What the policy wants done, its own timers apart. */
export type OutwardAction = Exclude<ServiceAction, { type: 'arm' | 'disarm' }>;

export interface MachineListener {
  readonly perform: (action: OutwardAction) => void;
  /** A timer of the policy fired, and this is to be dispatched. */
  readonly timed: (event: ServiceEvent) => void;
}

/**
 * `nested`: another event is being answered, and this one's turn comes before that call returns. `same`: nothing of the
 * state has changed.
 */
export type Dispatched = 'nested' | 'same' | 'changed';

/** The policy with its state and timers: takes events one at a time, those that an action brings about after it. */
export class PolicyMachine {
  state: ServiceState = initialState();
  readonly #clock: Pick<WorkspaceHost, 'now' | 'random'>;
  readonly #settings: () => ServicePolicySettings;
  readonly #listener: MachineListener;
  readonly #timers = new PolicyTimers();
  readonly #queue: ServiceEvent[] = [];
  #busy = false;
  /** Epoch milliseconds of the last exit: the policy's own clock differs from it after a suspend. */
  #exitedAt: number | null = null;

  constructor(
    clock: Pick<WorkspaceHost, 'now' | 'random'>,
    settings: () => ServicePolicySettings,
    listener: MachineListener,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** As the policy has it, with the time that a clock on the wall showed. */
  get lastExit(): LastExit | null {
    const { lastExit } = this.state;
    return lastExit === null ? null : { ...lastExit, at: this.#exitedAt ?? lastExit.at };
  }

  /** Epoch milliseconds at which a timer fires; `null` when it is not armed. */
  dueAt(timer: TimerName): number | null {
    return this.#timers.dueAt(timer);
  }

  dispatch(event: ServiceEvent): Dispatched {
    this.#queue.push(event);
    if (this.#busy) return 'nested';
    this.#busy = true;
    const before = this.state;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { state, actions } = step(this.state, next, this.#clock.now(), this.#settings(), this.#clock.random);
        if (state.lastExit !== this.state.lastExit) this.#exitedAt = Date.now();
        this.state = state;
        for (const action of actions) this.#perform(action);
      }
    } finally {
      this.#busy = false;
    }
    return this.state === before ? 'same' : 'changed';
  }

  #perform(action: ServiceAction): void {
    switch (action.type) {
      case 'arm': {
        const { timer, incarnation } = action;
        this.#timers.arm(timer, action.at - this.#clock.now(), () =>
          this.#listener.timed({ type: 'timer', timer, incarnation }),
        );
        return;
      }
      case 'disarm':
        this.#timers.disarm(action.timer);
        return;
      default:
        this.#listener.perform(action);
    }
  }
}

/** What a proof says to the policy; `null`: there was no tree. */
export function emptied(incarnation: number, proof: EmptyProof | null): ServiceEvent {
  const [confirmed, survivors] = [proof?.confirmed.length ?? 0, proof?.survivors.length ?? 0];
  return { type: 'emptied', incarnation, confirmed, survivors };
}
