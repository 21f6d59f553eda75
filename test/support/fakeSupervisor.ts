import { createServer, type Server, type Socket } from 'node:net';
import {
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import { type Notifications, PROTOCOL_VERSION, type RequestName, type Requests } from '../../server/api/protocol.ts';

export type FakeHandlers = {
  readonly [Name in RequestName]?: (
    params: Requests[Name][0],
    client: MessageConnection,
  ) => Requests[Name][1] | Promise<Requests[Name][1]>;
};

/** Speaks the protocol over a socket and answers as the test says; `hello` is answered by itself. */
export class FakeSupervisor {
  readonly endpoint: string;
  readonly received: { name: string; params: unknown }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<MessageConnection>();

  constructor(endpoint: string, server: Server) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  static async listen(endpoint: string, handlers: FakeHandlers = {}): Promise<FakeSupervisor> {
    const server = createServer();
    const fake = new FakeSupervisor(endpoint, server);
    server.on('connection', (socket) => fake.#accept(socket, handlers));
    await new Promise<void>((resolve) => server.listen(endpoint, resolve));
    return fake;
  }

  /** To every client. */
  async changed(change: Notifications['changed']): Promise<void> {
    await Promise.all([...this.#connections].map((one) => one.sendNotification('changed', change)));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket, handlers: FakeHandlers): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
    this.#connections.add(rpc);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#connections.delete(rpc);
    });
    rpc.onError(() => socket.destroy());
    rpc.onRequest((name: string, params: unknown) => {
      this.received.push({ name, params });
      const handler = handlers[name as RequestName] as
        | ((params: unknown, client: MessageConnection) => unknown)
        | undefined;
      if (handler !== undefined) return handler(params, rpc);
      if (name === 'hello') {
        const workspace = { id: 'w', root: '/w', stateDir: '/state' };
        return { protocol: PROTOCOL_VERSION, version: '0.0.0', pid: process.pid, workspace };
      }
      throw new Error(`the test has no answer to ${name}`);
    });
    rpc.listen();
  }
}
