import { lstatSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { ClientConnection, type Handle } from './connection.ts';
import type { Notifications } from './protocol.ts';

/** An answer that nobody reads must not hold the end of the supervisor. */
const ANSWER_LIMIT_MS = 1_000;

/** Holds the endpoint and the connected clients. */
export class ApiServer {
  readonly #handle: Handle;
  readonly #clientsChanged: (count: number) => void;
  readonly #connections = new Set<ClientConnection>();
  #server: Server;
  #endpoint: string | null = null;
  /** Inode of the socket's name; `null` before it listens, and for a pipe. */
  #inode: bigint | null = null;

  /** `clientsChanged` is told the number of connected clients after each arrival and departure. */
  constructor(handle: Handle, clientsChanged: (count: number) => void) {
    this.#handle = handle;
    this.#clientsChanged = clientsChanged;
    this.#server = this.#create();
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  /** Rejects when the endpoint cannot be bound. Only the holder of the claim calls it, so a leftover is stale. */
  async listen(endpoint: string): Promise<void> {
    if (process.platform !== 'win32') rmSync(endpoint, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      // With an inherited `NODE_UNIQUE_ID` Node would ask a cluster's primary, which is not there, and the process would end.
      this.#server.listen({ path: endpoint, exclusive: true }, () => {
        this.#server.off('error', reject);
        // An accept that fails (no descriptors left) must not end the supervisor.
        this.#server.on('error', () => {});
        resolve();
      });
    });
    this.#endpoint = endpoint;
    this.#inode = inodeOf(endpoint);
  }

  /** Nobody can come any more: the socket's name was removed, by a cleaner of temporary folders or with its folder. */
  get isUnreachable(): boolean {
    return this.#endpoint !== null && this.#inode !== null && inodeOf(this.#endpoint) !== this.#inode;
  }

  /** Listens anew under the same name; who is connected stays. Rejects as `listen` does. */
  async listenAgain(): Promise<void> {
    if (this.#endpoint === null) return;
    // First, as libuv removes whatever bears the name of a server that closes.
    this.#server.close();
    this.#server = this.#create();
    await this.listen(this.#endpoint);
  }

  /** Lets go of everything at once, for a process that ends in this moment. */
  abandon(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.end();
    if (this.#endpoint !== null && process.platform !== 'win32') rmSync(this.#endpoint, { force: true });
  }

  /** Takes no new client, lets every request be answered that is under way, says why, then closes. */
  async close(closing: Notifications['closing']): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const answered = Promise.all([...this.#connections].map((connection) => connection.answered()));
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_LIMIT_MS).unref())]);
    for (const connection of this.#connections) connection.end(closing);
    await closed;
    if (this.#endpoint !== null && process.platform !== 'win32') rmSync(this.#endpoint, { force: true });
  }

  #create(): Server {
    return createServer((socket) => {
      const connection = new ClientConnection(socket, this.#handle, (gone) => {
        this.#connections.delete(gone);
        this.#clientsChanged(this.#connections.size);
      });
      this.#connections.add(connection);
      this.#clientsChanged(this.#connections.size);
    });
  }
}

function inodeOf(path: string): bigint | null {
  if (process.platform === 'win32') return null;
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}
