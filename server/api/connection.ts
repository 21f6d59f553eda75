import type { Socket } from 'node:net';
import { createMessageConnection, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { FrameGuard } from './guard.ts';
import {
  ErrorCode,
  type HelloParams,
  type Notifications,
  PROTOCOL_VERSION,
  type RequestName,
  type Requests,
} from './protocol.ts';
import { CountingWriter, StrictReader } from './streams.ts';
import { isRequestName, validateParams } from './validate.ts';

/** So long may a new connection be silent before it must have said hello. */
const HELLO_TIMEOUT_MS = 10_000;

/** Carries out one request; a failure that is the caller's to know is a `ResponseError`. */
export type Handle = <Name extends RequestName>(
  name: Name,
  params: Requests[Name][0],
  connection: ClientConnection,
) => Promise<Requests[Name][1]>;

/** One client. It speaks after a good `hello` only; whatever is not the protocol ends the connection, nothing else. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #connection: MessageConnection;
  readonly #writer: CountingWriter;
  #client: HelloParams['client'] | null = null;
  #closed = false;
  readonly #closedListeners = new Set<() => void>();
  subscribed = false;

  constructor(socket: Socket, handle: Handle, closed: (connection: ClientConnection) => void) {
    this.#socket = socket;
    const guard = new FrameGuard();
    guard.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    const silent = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS);
    socket.once('close', () => {
      clearTimeout(silent);
      this.#closed = true;
      this.#connection.dispose();
      for (const listener of this.#closedListeners) listener();
      closed(this);
    });
    this.#writer = new CountingWriter(socket, () => socket.destroy());
    const reader = new StrictReader(socket.pipe(guard), () => guard.taken());
    this.#connection = createMessageConnection(reader, this.#writer);
    this.#connection.onError(() => socket.destroy());
    this.#connection.onRequest(async (method: string, params: unknown) => {
      this.#writer.expect();
      if (!isRequestName(method)) return refuse(ErrorCode.unknownMethod, `there is no method ${method}`);
      const validated = validateParams(method, params);
      if (!validated.ok) return refuse(ErrorCode.invalidParams, validated.message);
      if (method === 'hello') {
        const hello = validated.params as HelloParams;
        clearTimeout(silent);
        if (hello.protocol !== PROTOCOL_VERSION) {
          this.#endSoon();
          return refuse(
            ErrorCode.versionMismatch,
            `this supervisor speaks protocol ${PROTOCOL_VERSION}, the client ${hello.protocol}`,
          );
        }
        this.#client = hello.client;
      } else if (this.#client === null) {
        this.#endSoon();
        return refuse(ErrorCode.helloFirst, 'hello must come first');
      }
      return handle(method, validated.params as never, this);
    });
    this.#connection.listen();
  }

  /** Known once hello was said; no request is handled before. */
  get client(): HelloParams['client'] | null {
    return this.#client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Called once when the client has gone; returns what takes the listener back. */
  onClosed(listener: () => void): () => void {
    this.#closedListeners.add(listener);
    return () => this.#closedListeners.delete(listener);
  }

  notify(method: string, params: unknown): void {
    if (!this.#closed) void this.#connection.sendNotification(method, params).catch(() => this.#socket.destroy());
  }

  /** Resolves when every request that came so far was answered, or the client has gone. */
  async answered(): Promise<void> {
    if (!this.#closed)
      await Promise.race([this.#writer.idle(), new Promise<void>((resolve) => this.onClosed(resolve))]);
  }

  /** Sends what is still to be sent, and last why it closes, then closes. */
  end(closing: Notifications['closing'] | null = null): void {
    const end = (): void => void this.#socket.end();
    // The library writes in a later turn of the event loop.
    if (closing === null || this.#client === null) end();
    else void this.#connection.sendNotification('closing', closing).then(end, end);
    // A client that never reads must not hold the supervisor's end.
    setTimeout(() => this.#socket.destroy(), 500).unref();
  }

  /** After the answer that is on its way. */
  #endSoon(): void {
    void this.answered().then(() => this.end());
  }
}

function refuse(code: number, message: string): ResponseError<void> {
  return new ResponseError<void>(code, message);
}
