/** What the supervisor's process does when it is asked, or forced, to end. */
export interface EndRequests {
  /** SIGTERM and SIGINT, the first of them only, whichever it is. */
  readonly onStop: (signal: StopSignal) => void;
  /** A later one, while the drain goes on. */
  readonly onRepeat: (signal: StopSignal) => void;
  /** A bug: an unhandled rejection or exception. The trees are left to the successor. */
  readonly onFault: (kind: FaultKind, error: unknown) => void;
}

export type StopSignal = 'SIGTERM' | 'SIGINT';
export type FaultKind = 'unhandled_rejection' | 'uncaught_exception';

/**
 * Listens from its construction on, which is before the claim: a signal that comes between the claim and the first
 * moment in which there is something to drain would otherwise end the process by default, its lock left behind.
 * SIGHUP (the terminal closed) is ignored, and so are the two that have no meaning here: SIGUSR2 would end the process,
 * SIGUSR1 would have Node open a debugger's TCP port.
 */
export class EndListener {
  #requests: EndRequests | null = null;
  #asked: StopSignal | null = null;
  readonly #listeners: readonly (readonly [string, (...args: unknown[]) => void])[] = [
    ['SIGTERM', () => this.#stop('SIGTERM')],
    ['SIGINT', () => this.#stop('SIGINT')],
    ['SIGHUP', () => {}],
    ['SIGUSR1', () => {}],
    ['SIGUSR2', () => {}],
    ['unhandledRejection', (error) => this.#fault('unhandled_rejection', error)],
    ['uncaughtException', (error) => this.#fault('uncaught_exception', error)],
  ];

  constructor() {
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** The first signal that asked for the end; `null`: none did. */
  get asked(): StopSignal | null {
    return this.#asked;
  }

  /** From now on `requests` are told; also, at once, of a signal that came before. */
  attach(requests: EndRequests): void {
    this.#requests = requests;
    if (this.#asked !== null) requests.onStop(this.#asked);
  }

  /** Takes the handlers away again. */
  end(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #stop(signal: StopSignal): void {
    if (this.#asked !== null) {
      this.#requests?.onRepeat(signal);
      return;
    }
    this.#asked = signal;
    this.#requests?.onStop(signal);
  }

  #fault(kind: FaultKind, error: unknown): void {
    if (this.#requests === null) throw error;
    this.#requests.onFault(kind, error);
  }
}
