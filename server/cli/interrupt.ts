/**
 * Ctrl-C and `kill`, for verbs that have something to end before they leave.
 *
 * A closed terminal (SIGHUP) is left its default: it cannot be told from a connection that broke, so that nothing is
 * stopped in haste, and the lease of the terminal sees to what it started. Besides, Node aborts when it leaves by itself
 * and its terminal has gone (`tcsetattr` fails with EIO in `ResetStdio`).
 */
import { Exit } from './verb.ts';

export type Interrupt = 'SIGINT' | 'SIGTERM';

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
