/** A client that can misbehave: bytes as they are, frames made by hand, answers as they come. */
import { connect, type Socket } from 'node:net';
import { PROTOCOL_VERSION } from '../../server/api/protocol.ts';
import { until } from './until.ts';

export interface Answer {
  readonly id: number | null;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  readonly answers: Answer[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  /** The kernel keeps a few hundred connections that are not accepted yet and refuses the next one: it is tried again. */
  static open(endpoint: string): Promise<RawClient> {
    return until(`a connection to ${endpoint}`, () => RawClient.#tryToOpen(endpoint));
  }

  static #tryToOpen(endpoint: string): Promise<RawClient | null> {
    return new Promise((resolve, reject) => {
      const socket = connect(endpoint);
      socket.once('connect', () => resolve(new RawClient(socket)));
      socket.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EAGAIN' ? resolve(null) : reject(error)));
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  frame(message: unknown): void {
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    this.socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  request(id: number, method: string, params: unknown = {}): void {
    this.frame({ jsonrpc: '2.0', id, method, params });
  }

  hello(id = 0, protocol: unknown = PROTOCOL_VERSION): void {
    this.request(id, 'hello', { protocol, client: { kind: 'other', pid: process.pid, version: '0', session: null } });
  }

  answer(id: number | null): Promise<Answer> {
    return until(`answer ${id}`, () => this.answers.find((one) => one.id === id));
  }

  untilClosed(): Promise<true> {
    return until('the end of the connection', () => this.#closed, { timeoutMs: 4_000 });
  }

  end(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, end))?.[1]);
      if (this.#received.length < end + 4 + length) return;
      const message = JSON.parse(this.#received.toString('utf8', end + 4, end + 4 + length));
      this.#received = this.#received.subarray(end + 4 + length);
      if ('id' in message && !('method' in message)) this.answers.push(message as Answer);
    }
  }
}
