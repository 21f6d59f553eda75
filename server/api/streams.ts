import type { Readable, Writable } from 'node:stream';
import {
  type DataCallback,
  type Disposable,
  Message,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';

/** So many messages may wait to be read by a client. A terminal that is stopped (Ctrl-Z) for long is let go as well. */
const MOST_UNREAD = 500;

/** Takes nothing but messages of JSON-RPC; any other JSON is an error, which ends the connection. */
export class StrictReader extends StreamMessageReader {
  readonly #taken: () => void;

  /** `taken` is called for each message that left the reader's own queue. */
  constructor(readable: Readable, taken: () => void) {
    super(readable);
    this.#taken = taken;
  }

  override listen(callback: DataCallback): Disposable {
    return super.listen((message) => {
      this.#taken();
      const known = Message.isRequest(message) || Message.isNotification(message) || Message.isResponse(message);
      if (known) callback(message);
      else this.fireError(new Error('a message that is none of JSON-RPC'));
    });
  }
}

/** Knows when the answers that are owed have been written, and when the client has stopped reading. */
export class CountingWriter extends StreamMessageWriter {
  readonly #unread: () => void;
  #owed = 0;
  #unwritten = 0;
  readonly #waiting: (() => void)[] = [];

  /** `unread` is called when more waits for the client than it may leave unread. */
  constructor(writable: Writable, unread: () => void) {
    super(writable);
    this.#unread = unread;
  }

  expect(): void {
    this.#owed += 1;
  }

  idle(): Promise<void> {
    return this.#owed === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  override async write(message: Message): Promise<void> {
    this.#unwritten += 1;
    if (this.#unwritten > MOST_UNREAD) this.#unread();
    await super.write(message);
    this.#unwritten -= 1;
    if (!Message.isResponse(message)) return;
    this.#owed -= 1;
    if (this.#owed === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
