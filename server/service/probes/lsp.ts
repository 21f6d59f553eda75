import { connect } from 'node:net';
import { formatDuration } from '../../text/units.ts';
import { ABANDONED, type ProbeContext, type ProbePurpose, type ProbeResult, type Prober } from './types.ts';

/** What a client of a language host's socket may ask, as one line of JSON; one line of JSON is the answer. */
export interface HostQuestion {
  /** `latency` sends the server a request that it need not know and measures how long its refusal takes. */
  readonly ask: 'status' | 'latency';
}

export interface HostStatus {
  /** The language server answered `initialize`. */
  readonly ready: boolean;
  /** So many capabilities it announced. */
  readonly capabilities: number;
  readonly serverPid: number | null;
  /** Why it is not ready and will not become so. */
  readonly error: string | null;
  /** Only of `latency`. */
  readonly latencyMs?: number;
}

/** Ready when the language server behind the host answered `initialize`; live when it answers a request. */
export function createLspProber(context: ProbeContext, purpose: ProbePurpose): Prober {
  const question: HostQuestion = { ask: purpose === 'readiness' ? 'status' : 'latency' };
  return { patient: false, attempt: (signal) => attempt(context.hostSocket, question, signal) };
}

async function attempt(path: string | null, question: HostQuestion, signal: AbortSignal): Promise<ProbeResult> {
  if (path === null) return { ok: false, detail: 'lsp: the service is not a language server' };
  const answer = await askHost(path, question, signal);
  if (signal.aborted) return ABANDONED;
  if (!answer.ok) return { ok: false, detail: `language host: ${answer.detail}` };
  const { ready, capabilities, error, latencyMs } = answer.status;
  if (error !== null) return { ok: false, detail: `language server: ${error}` };
  if (!ready) return { ok: false, detail: 'the language server has not answered initialize yet' };
  const took = latencyMs === undefined ? '' : `, a request took ${formatDuration(latencyMs)}`;
  return { ok: true, detail: `initialize answered with ${capabilities} capabilities${took}` };
}

type HostAnswer = { readonly ok: true; readonly status: HostStatus } | { readonly ok: false; readonly detail: string };

/** Asks the host at `path` one question on a connection of its own. Never rejects. */
export function askHost(path: string, question: HostQuestion, signal: AbortSignal): Promise<HostAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    const finish = (answer: HostAnswer): void => {
      signal.removeEventListener('abort', abandon);
      socket.destroy();
      resolve(answer);
    };
    const abandon = (): void => finish({ ok: false, detail: ABANDONED.detail });
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${JSON.stringify(question)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) finish(parse(text.slice(0, end)));
      else if (text.length > LONGEST_ANSWER) finish({ ok: false, detail: 'an answer without end' });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => finish({ ok: false, detail: explain(error) }));
    socket.once('close', () => finish({ ok: false, detail: 'closed the connection without an answer' }));
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
  });
}

const LONGEST_ANSWER = 64 * 1024;

function parse(line: string): HostAnswer {
  try {
    const value: unknown = JSON.parse(line);
    if (isStatus(value)) return { ok: true, status: value };
  } catch {
    // Falls through: not the host's language.
  }
  return { ok: false, detail: 'an answer that is not a status' };
}

function isStatus(value: unknown): value is HostStatus {
  if (typeof value !== 'object' || value === null) return false;
  const { ready, capabilities, error } = value as Partial<HostStatus>;
  return (
    typeof ready === 'boolean' && typeof capabilities === 'number' && (error === null || typeof error === 'string')
  );
}

function explain(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? 'not up yet' : (error.code ?? error.message);
}
