import type { WorkspaceHost } from './host.ts';
import { initialState, type ServicePolicySettings, type ServiceState, step } from './policy/policy.ts';
import type { ServiceAction, ServiceEvent } from './policy/types.ts';

/** The policy with its state: takes events one at a time, those that an action brings about after it. */
export class PolicyMachine {
  state: ServiceState = initialState();
  readonly #clock: Pick<WorkspaceHost, 'now' | 'random'>;
  readonly #settings: () => ServicePolicySettings;
  readonly #perform: (action: ServiceAction) => void;
  readonly #queue: ServiceEvent[] = [];
  #busy = false;

  constructor(
    clock: Pick<WorkspaceHost, 'now' | 'random'>,
    settings: () => ServicePolicySettings,
    perform: (action: ServiceAction) => void,
  ) {
    this.#clock = clock;
    this.#settings = settings;
    this.#perform = perform;
  }

  /** `false`: another event is being answered, and this one's turn comes before that call returns. */
  dispatch(event: ServiceEvent): boolean {
    this.#queue.push(event);
    if (this.#busy) return false;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { state, actions } = step(this.state, next, this.#clock.now(), this.#settings(), this.#clock.random);
        this.state = state;
        for (const action of actions) this.#perform(action);
      }
    } finally {
      this.#busy = false;
    }
    return true;
  }
}
