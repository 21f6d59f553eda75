/** Ctrl-C and `kill`, for verbs that have something to end before they leave. */
import { Exit } from './verb.ts';

export type Interrupt = 'SIGINT' | 'SIGTERM';

/** As a shell says it of a command that SIGHUP ended. */
export const HUNG_UP = 129;

/**
 * Settles when the terminal is closed (SIGHUP). That cannot be told from a connection that broke, so that nothing is
 * stopped in haste: what this command started waits for `idle.grace`, as it does for a terminal that was killed. `end`
 * gives the signal its own way again.
 */
export function watchHangup(): { readonly first: Promise<void>; end(): void } {
  let settle: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const hear = (): void => settle();
  process.on('SIGHUP', hear);
  return { first, end: () => void process.off('SIGHUP', hear) };
}

export interface InterruptWatch {
  /** Settles at the first of them. */
  readonly first: Promise<Interrupt>;
  /** Called for the second and every later one. */
  onRepeat(listener: () => void): void;
  readonly received: Interrupt | null;
  end(): void;
}

export function watchInterrupts(): InterruptWatch {
  let received: Interrupt | null = null;
  let repeat: () => void = () => {};
  let settle: (signal: Interrupt) => void = () => {};
  const first = new Promise<Interrupt>((resolve) => {
    settle = resolve;
  });
  const hear = (signal: NodeJS.Signals): void => {
    if (received !== null) {
      repeat();
      return;
    }
    received = signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    settle(received);
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  return {
    first,
    onRepeat: (listener) => {
      repeat = listener;
    },
    get received() {
      return received;
    },
    end: () => {
      process.off('SIGINT', hear);
      process.off('SIGTERM', hear);
    },
  };
}

export function interruptCode(signal: Interrupt): number {
  return signal === 'SIGINT' ? Exit.interrupted : Exit.terminated;
}
