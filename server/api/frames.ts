/**
 * The client's end of the wire: JSON-RPC 2.0 messages, each behind a `Content-Length` header, as `vscode-jsonrpc` frames
 * them on the server's side. Written out here because `ps` pays for what it loads: the library, and the crypto and
 * child_process modules that it brings along, took 10 ms of a command that may take 40 more than an empty script.
 */
import type { Socket } from 'node:net';
import { MAX_MESSAGE_BYTES } from './protocol.ts';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export type RpcAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError };

/** Sends requests and sorts what comes back. What is not of the protocol destroys the socket. */
export class RpcClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, (answer: RpcAnswer) => void>();
  readonly #notified: (method: string, params: unknown) => void;
  readonly #unread: Buffer[] = [];
  #reading = false;
  #lastId = 0;

  constructor(socket: Socket, notified: (method: string, params: unknown) => void) {
    this.#socket = socket;
    this.#notified = notified;
    const reader = new FrameReader((body) => this.#unread.push(body));
    socket.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) socket.destroy();
      if (!this.#reading) this.#readOn();
    });
  }

  /** Never settles when the connection ends first: whoever waits watches the socket as well. */
  request(method: string, params: unknown): Promise<RpcAnswer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#socket.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
    });
  }

  /** Resolves when everything that came so far was taken up. */
  async read(): Promise<void> {
    while (this.#reading) await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * After an answer the event loop has a turn before the next message is taken up, in which whoever asked can make use
   * of it: one who has subscribed would not be listening yet when the first change comes right behind the answer.
   */
  #readOn(): void {
    this.#reading = true;
    for (let body = this.#unread.shift(); body !== undefined; body = this.#unread.shift()) {
      if (!this.#receive(body)) continue;
      setImmediate(() => this.#readOn());
      return;
    }
    this.#reading = false;
  }

  /** `true`: it was an answer. */
  #receive(body: Buffer): boolean {
    const message = parse(body);
    if (message === null) {
      this.#socket.destroy();
    } else if (typeof message.method === 'string') {
      // A request of the server's, which has an id, is none of this protocol and stays unanswered.
      if (message.id === undefined) this.#notified(message.method, message.params);
    } else if (typeof message.id === 'number') {
      const settle = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      settle?.(toAnswer(message));
      return true;
    }
    return false;
  }
}

/** Cuts a stream into message bodies. */
export class FrameReader {
  readonly #receive: (body: Buffer) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the body that is awaited; `null` while a header is. */
  #length: number | null = null;

  constructor(receive: (body: Buffer) => void) {
    this.#receive = receive;
  }

  /** `false`: the stream does not keep to the framing, and is worth nothing from here on. */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#length === null) {
        const buffer = this.#joined();
        const end = buffer.indexOf('\r\n\r\n');
        if (end === -1) return buffer.length <= MAX_HEADER_BYTES;
        const length = /^Content-Length: *(\d{1,12})$/im.exec(buffer.toString('latin1', 0, end))?.[1];
        if (length === undefined || Number(length) > MAX_MESSAGE_BYTES) return false;
        this.#length = Number(length);
        this.#keep(buffer.subarray(end + 4));
      }
      // Joined only when the whole of a body is there, or a large one in small chunks would cost the square.
      if (this.#size < this.#length) return true;
      const buffer = this.#joined();
      const body = buffer.subarray(0, this.#length);
      this.#keep(buffer.subarray(this.#length));
      this.#length = null;
      this.#receive(body);
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }

  #keep(rest: Buffer): void {
    this.#chunks = [rest];
    this.#size = rest.length;
  }
}

const MAX_HEADER_BYTES = 1024;

function parse(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function toAnswer({ result, error }: Record<string, unknown>): RpcAnswer {
  if (typeof error !== 'object' || error === null) return { ok: true, result };
  const { code, message, data } = error as Record<string, unknown>;
  return {
    ok: false,
    error: { code: typeof code === 'number' ? code : 0, message: typeof message === 'string' ? message : '', data },
  };
}
