/** What the supervisor's process does when it is asked, or forced, to end. */
export interface EndRequests {
  /** SIGTERM and SIGINT, the first of them only, whichever it is. */
  readonly onStop: (signal: 'SIGTERM' | 'SIGINT') => void;
  /** A later one, while the drain goes on. */
  readonly onRepeat: (signal: string) => void;
  /** A bug: an unhandled rejection or exception. The trees are left to the successor. */
  readonly onFault: (kind: 'unhandled_rejection' | 'uncaught_exception', error: unknown) => void;
}

/** Installs the handlers; returns what takes them away again. SIGHUP (the terminal closed) is ignored. */
export function listenForEnd(requests: EndRequests): () => void {
  let stopping = false;
  const stop = (signal: 'SIGTERM' | 'SIGINT') => (): void => {
    if (stopping) {
      requests.onRepeat(signal);
      return;
    }
    stopping = true;
    requests.onStop(signal);
  };
  const listeners: [string, (...args: unknown[]) => void][] = [
    ['SIGTERM', stop('SIGTERM')],
    ['SIGINT', stop('SIGINT')],
    ['SIGHUP', () => {}],
    ['unhandledRejection', (error) => requests.onFault('unhandled_rejection', error)],
    ['uncaughtException', (error) => requests.onFault('uncaught_exception', error)],
  ];
  for (const [name, listener] of listeners) process.on(name, listener);
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}
