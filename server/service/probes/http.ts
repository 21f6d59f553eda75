import type { ClientRequest, IncomingMessage } from 'node:http';
import { addressesOf, findStranger, isLoopback } from './ownership.ts';
import { ABANDONED, type ProbeContext, type ProbeResult, type Prober } from './types.ts';

/** Ready when a process of the tree answers with a status from 200 to 399; redirects are an answer, not a way. */
export function createHttpProber(target: string, context: ProbeContext): Prober {
  return { patient: false, attempt: (signal) => attempt(target, context, signal) };
}

async function attempt(target: string, context: ProbeContext, signal: AbortSignal): Promise<ProbeResult> {
  const url = completeUrl(target, context.port);
  if (url === null) {
    const why = context.port === null && target.startsWith('/') ? 'the service has no port' : 'not a URL';
    return { ok: false, detail: `http ${target}: ${why}` };
  }
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  let last: ProbeResult = { ok: false, detail: `nothing listens on port ${port}` };
  for (const address of addressesOf(url.hostname)) {
    const answer = await get(url, address, port, signal);
    if (signal.aborted) return ABANDONED;
    const said = judge(url, answer);
    if (said === null) continue;
    // Whoever answers elsewhere cannot be of this machine's tree, and was named by the user.
    const stranger = isLoopback(address) && answer.connected ? await findStranger(context, address, port) : null;
    last = stranger ?? said;
    if (last.ok) return last;
  }
  return last;
}

type Answer =
  | { readonly kind: 'status'; readonly connected: true; readonly status: number }
  | { readonly kind: 'error'; readonly connected: boolean; readonly code: string };

/** `null` when nobody is there, which the next address may still disprove. */
function judge(url: URL, answer: Answer): ProbeResult | null {
  switch (answer.kind) {
    case 'status':
      return { ok: answer.status >= 200 && answer.status <= 399, detail: `GET ${url.href} answered ${answer.status}` };
    case 'error':
      if (answer.code === 'ECONNREFUSED' || answer.code === 'EADDRNOTAVAIL') return null;
      return { ok: false, detail: `GET ${url.href}: ${answer.code}` };
    default:
      return answer satisfies never;
  }
}

function completeUrl(target: string, port: number | null): URL | null {
  if (target.startsWith('/')) return port === null ? null : new URL(target, `http://localhost:${port}`);
  const url = URL.canParse(target) ? new URL(target) : null;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : null;
}

/** One request on a connection of its own: a kept one would outlive the server that it was made to. */
async function get(url: URL, address: string, port: number, signal: AbortSignal): Promise<Answer> {
  const secure = url.protocol === 'https:';
  // Loaded for who needs it: TLS alone takes some megabytes.
  const client = secure ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    let connected = false;
    const agent = new client.Agent({ keepAlive: false });
    const options = {
      agent,
      host: address,
      port,
      path: `${url.pathname}${url.search}`,
      signal,
      headers: { host: url.host, accept: '*/*', 'user-agent': 'coppice-probe', connection: 'close' },
      // A development server's certificate is of its own making.
      ...(secure && isLoopback(address) ? { rejectUnauthorized: false, servername: url.hostname } : {}),
    };
    const sent: ClientRequest = client.request(options);
    sent.once('socket', (socket) => socket.once('connect', () => (connected = true)));
    sent.once('response', (response) => {
      discard(response);
      resolve({ kind: 'status', connected: true, status: response.statusCode ?? 0 });
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'error', connected, code: error.code ?? error.message });
    });
    sent.end();
  });
}

/**
 * The body is read and dropped for a moment, since a server may log an error when its answer is cut off; one that
 * never ends (an event stream) is cut off all the same.
 */
function discard(response: IncomingMessage): void {
  const timer = setTimeout(() => response.destroy(), DISCARD_MS);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
  response.on('error', () => {});
  response.resume();
}

const DISCARD_MS = 1_000;
