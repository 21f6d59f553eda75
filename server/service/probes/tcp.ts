import { connect } from 'node:net';
import { findStranger, LOOPBACK } from './ownership.ts';
import { ABANDONED, type ProbeContext, type ProbeResult, type Prober } from './types.ts';

/** Ready when a process of the tree takes connections on the port. */
export function createTcpProber(target: string, context: ProbeContext): Prober {
  const port = Number(target);
  return { patient: false, attempt: (signal) => attempt(port, target, context, signal) };
}

async function attempt(port: number, target: string, context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return { ok: false, detail: `tcp ${target}: not a port between 1 and 65535` };
  }
  let last: ProbeResult = { ok: false, detail: `nothing listens on port ${port}` };
  for (const address of LOOPBACK) {
    const answer = await canConnect(address, port, signal);
    if (signal.aborted) return ABANDONED;
    if (answer !== null) {
      if (answer !== 'ECONNREFUSED' && answer !== 'EADDRNOTAVAIL') {
        last = { ok: false, detail: `port ${port} at ${address}: ${answer}` };
      }
      continue;
    }
    const stranger = await findStranger(context, address, port);
    if (stranger === null) return { ok: true, detail: `port ${port} takes connections at ${address}` };
    last = stranger;
  }
  return last;
}

/** `null` when the connection stands, else the error's code. */
function canConnect(host: string, port: number, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer: string | null): void => {
      signal.removeEventListener('abort', abandon);
      socket.destroy();
      resolve(answer);
    };
    const abandon = (): void => finish('ABORTED');
    socket.once('connect', () => finish(null));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
  });
}
