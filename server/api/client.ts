/** A client's side of the protocol: one connection to one supervisor, every failure a value. */
import { connect as connectSocket, type Socket } from 'node:net';
import { RpcClient, type RpcError } from './frames.ts';
import {
  ErrorCode,
  type HelloParams,
  type HelloResult,
  type Notifications,
  PROTOCOL_VERSION,
  type RequestName,
  type Requests,
} from './protocol.ts';

export type ConnectFailure =
  /** Nothing listens there: no supervisor, one that is still starting, or one that just ended. */
  | { readonly reason: 'not_listening'; readonly endpoint: string; readonly detail: string }
  /** The socket is there and is not ours to use. */
  | { readonly reason: 'no_permission'; readonly endpoint: string; readonly detail: string }
  /** Someone listens and does not answer `hello` in time. */
  | { readonly reason: 'no_answer'; readonly endpoint: string; readonly afterMs: number }
  /** A supervisor of another Coppice. */
  | { readonly reason: 'version_mismatch'; readonly endpoint: string; readonly detail: string }
  | { readonly reason: 'refused'; readonly endpoint: string; readonly detail: string };

export type RequestFailure =
  | { readonly reason: 'timeout'; readonly request: RequestName; readonly afterMs: number; readonly pid: number }
  | { readonly reason: 'connection_lost'; readonly request: RequestName; readonly pid: number }
  /** The supervisor has ended in an orderly way, so nobody is there to answer, and nothing is left to be asked about. */
  | { readonly reason: 'ended'; readonly request: RequestName; readonly pid: number }
  /** The supervisor was lost and no other has come in its place. `said`: why its guardian has given up, in words. */
  | {
      readonly reason: 'no_successor';
      readonly request: RequestName;
      readonly pid: number;
      readonly afterMs: number;
      readonly said: string | null;
    }
  /** The supervisor was lost in the middle of what cannot be asked twice; its successor is `successor`. */
  | { readonly reason: 'not_repeated'; readonly request: RequestName; readonly pid: number; readonly successor: number }
  /** Another holds the workspace now, which cannot be talked to or is no successor of this one. */
  | {
      readonly reason: 'moved';
      readonly request: RequestName;
      readonly pid: number;
      readonly holder: number;
      readonly detail: string;
    }
  | { readonly reason: 'shutting_down'; readonly request: RequestName; readonly pid: number }
  | {
      readonly reason: 'refused';
      readonly request: RequestName;
      readonly code: number;
      /** The server's own word for it (`data.reason`), or `null`. */
      readonly word: string | null;
      readonly detail: string;
    };

export type RequestResult<T> =
  /** `repeated`: the supervisor that was asked first was lost, and a successor has answered. */
  | { readonly ok: true; readonly value: T; readonly repeated?: true }
  | { readonly ok: false; readonly failure: RequestFailure };

export interface RequestOptions {
  /** How long to wait for the answer, in milliseconds; `null`: as long as the connection lasts. Default 10 s. */
  readonly timeoutMs?: number | null;
}

/** One connection. Every method is safe to call after the other side has gone. */
export interface SupervisorClient {
  readonly hello: HelloResult;
  request<Name extends RequestName>(
    name: Name,
    params: Requests[Name][0],
    options?: RequestOptions,
  ): Promise<RequestResult<Requests[Name][1]>>;
  /** After `subscribe`. One listener at a time hears of changes; a new one takes the place of the old. */
  onChanged(listener: (change: Notifications['changed']) => void): void;
  /** What the supervisor said of its own end before it closed the connection; `null`: nothing. */
  readonly farewell: Notifications['closing'] | null;
  /** Called once when the connection ends, whoever ended it; at once if it has ended. */
  onClose(listener: () => void): void;
  close(): void;
}

export type ConnectResult =
  | { readonly ok: true; readonly client: SupervisorClient }
  | { readonly ok: false; readonly failure: ConnectFailure };

export const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;

/** Connects and says `hello`; `timeoutMs` covers both together. */
export async function connect(
  endpoint: string,
  hello: HelloParams['client'],
  options: { readonly timeoutMs?: number } = {},
): Promise<ConnectResult> {
  const timeoutMs = options.timeoutMs ?? 5000;
  const deadline = performance.now() + timeoutMs;
  const opened = await openSocket(endpoint, timeoutMs);
  if (!opened.ok) return opened;
  const connection = new Connection(opened.socket);
  const answer = await connection.request(
    'hello',
    { protocol: PROTOCOL_VERSION, client: hello },
    { timeoutMs: Math.max(1, deadline - performance.now()) },
  );
  if (answer.ok && answer.value.protocol === PROTOCOL_VERSION) {
    connection.hello = answer.value;
    return { ok: true, client: connection };
  }
  connection.close();
  if (answer.ok) {
    const detail = `it speaks protocol ${answer.value.protocol} (version ${answer.value.version}), this is ${PROTOCOL_VERSION}`;
    return { ok: false, failure: { reason: 'version_mismatch', endpoint, detail } };
  }
  return { ok: false, failure: helloFailure(endpoint, answer.failure) };
}

function helloFailure(endpoint: string, failure: RequestFailure): ConnectFailure {
  switch (failure.reason) {
    case 'timeout':
      return { reason: 'no_answer', endpoint, afterMs: failure.afterMs };
    case 'connection_lost':
    case 'shutting_down':
    case 'ended':
    case 'no_successor':
    case 'not_repeated':
    case 'moved':
      return { reason: 'not_listening', endpoint, detail: 'the supervisor closed the connection' };
    case 'refused':
      return failure.code === ErrorCode.versionMismatch
        ? { reason: 'version_mismatch', endpoint, detail: failure.detail }
        : { reason: 'refused', endpoint, detail: failure.detail };
    default:
      return failure satisfies never;
  }
}

type OpenResult =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly failure: ConnectFailure };

function openSocket(endpoint: string, timeoutMs: number): Promise<OpenResult> {
  return new Promise((resolve) => {
    const socket = connectSocket(endpoint);
    const finish = (result: OpenResult): void => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('connect', succeed);
      if (!result.ok) {
        // A late error of a socket nobody listens to any more would end the process.
        socket.on('error', () => {});
        socket.destroy();
      }
      resolve(result);
    };
    const succeed = (): void => finish({ ok: true, socket });
    const fail = (error: NodeJS.ErrnoException): void => {
      const forbidden = error.code === 'EACCES' || error.code === 'EPERM';
      const reason = forbidden ? 'no_permission' : 'not_listening';
      finish({ ok: false, failure: { reason, endpoint, detail: error.message } });
    };
    // A full backlog (a stopped or wedged supervisor) leaves connect() pending without an error.
    const timer = setTimeout(
      () => finish({ ok: false, failure: { reason: 'no_answer', endpoint, afterMs: timeoutMs } }),
      timeoutMs,
    );
    socket.once('connect', succeed);
    socket.once('error', fail);
  });
}

class Connection implements SupervisorClient {
  readonly #socket: Socket;
  readonly #rpc: RpcClient;
  readonly #closed: Promise<typeof CLOSED>;
  #changed: (change: Notifications['changed']) => void = () => {};
  farewell: Notifications['closing'] | null = null;
  /** Set by `connect` before anyone else holds the client. */
  hello: HelloResult = { protocol: 0, version: '', pid: 0, workspace: { id: '', root: '', stateDir: '' } };

  constructor(socket: Socket) {
    this.#socket = socket;
    // Errors of the transport arrive as `close` too; without a listener Node would throw them.
    socket.on('error', () => {});
    const rpc = new RpcClient(socket, (method, params) => {
      if (method === 'changed') this.#changed(params as Notifications['changed']);
      if (method === 'closing') this.farewell = params as Notifications['closing'];
    });
    this.#rpc = rpc;
    this.#closed = new Promise((resolve) => {
      // What came before the end counts: the last answers, and the word on why it closes.
      socket.once('close', () => void rpc.read().then(() => resolve(CLOSED)));
    });
  }

  async request<Name extends RequestName>(
    name: Name,
    params: Requests[Name][0],
    options: RequestOptions = {},
  ): Promise<RequestResult<Requests[Name][1]>> {
    const limit = options.timeoutMs === undefined ? DEFAULT_REQUEST_TIMEOUT_MS : options.timeoutMs;
    const pid = this.hello.pid;
    const lost: RequestFailure = { reason: 'connection_lost', request: name, pid };
    if (this.#socket.destroyed) return { ok: false, failure: lost };
    const timer = timeout(limit);
    const answer = this.#rpc.request(name, params);
    try {
      const first = await Promise.race([answer, this.#closed, timer.promise]);
      if (first === CLOSED) return { ok: false, failure: lost };
      if (first === TIMED_OUT)
        return { ok: false, failure: { reason: 'timeout', request: name, afterMs: limit ?? 0, pid } };
      if (!first.ok) return { ok: false, failure: refusal(name, pid, first.error) };
      // The supervisor is trusted to keep to the protocol: its version was agreed on in `hello`.
      return { ok: true, value: first.result as Requests[Name][1] };
    } finally {
      timer.cancel();
    }
  }

  onChanged(listener: (change: Notifications['changed']) => void): void {
    this.#changed = listener;
  }

  onClose(listener: () => void): void {
    void this.#closed.then(() => listener());
  }

  close(): void {
    this.#socket.destroy();
  }
}

const CLOSED = Symbol('closed');
const TIMED_OUT = Symbol('timed out');

function timeout(milliseconds: number | null): { promise: Promise<typeof TIMED_OUT>; cancel: () => void } {
  if (milliseconds === null) return { promise: new Promise(() => {}), cancel: () => {} };
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

function refusal(request: RequestName, pid: number, { code, message, data }: RpcError): RequestFailure {
  if (code === ErrorCode.shuttingDown) return { reason: 'shutting_down', request, pid };
  const word =
    typeof data === 'object' && data !== null && 'reason' in data && typeof data.reason === 'string'
      ? data.reason
      : null;
  return { reason: 'refused', request, code, word, detail: message };
}
