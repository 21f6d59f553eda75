/**
 * The conversation with a language server over its stdin and stdout, as far as supervision needs it: the handshake
 * that makes it ready, a request to see that it still answers, and the orderly end.
 */
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';

export interface ServerStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
}

export type InitializeOutcome =
  | { readonly ok: true; readonly capabilities: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly detail: string };

/** One language server that was just started. `say` gets what a person should find in the log. */
export class ServerConversation {
  readonly #connection: MessageConnection;
  readonly #streams: ServerStreams;

  constructor(streams: ServerStreams, say: (line: string) => void) {
    this.#streams = streams;
    this.#connection = createMessageConnection(
      new StreamMessageReader(streams.stdout),
      new StreamMessageWriter(streams.stdin),
    );
    // A server that ends while something is being written to it is told of by its exit, not by EPIPE.
    streams.stdin.on('error', () => {});
    this.#connection.onError(([error]) => say(`language server: ${error.message}`));
    this.#answerWithoutClient();
    this.#connection.listen();
  }

  /** The handshake of the protocol: `initialize`, then `initialized`. Resolves when the server answered or went. */
  async initialize(folder: string): Promise<InitializeOutcome> {
    const rootUri = pathToFileURL(folder).href;
    try {
      const result: unknown = await this.#connection.sendRequest('initialize', {
        // Servers watch this process and end when it does.
        processId: process.pid,
        clientInfo: { name: 'coppice' },
        rootUri,
        rootPath: folder,
        workspaceFolders: [{ uri: rootUri, name: basename(folder) }],
        capabilities: { workspace: { configuration: true, workspaceFolders: true } },
      });
      const capabilities = capabilitiesOf(result);
      if (capabilities === null) return { ok: false, detail: 'initialize was answered without capabilities' };
      await this.#connection.sendNotification('initialized', {});
      return { ok: true, capabilities };
    } catch (error) {
      return { ok: false, detail: `initialize was refused: ${messageOf(error)}` };
    }
  }

  /**
   * Milliseconds until the server answers a request. It need not know the method: the protocol has it refuse one that
   * it does not know. Rejects when the connection ends first.
   */
  async latency(): Promise<number> {
    const before = performance.now();
    await this.#connection.sendRequest(PING).catch((error: unknown) => {
      if (!isAnswer(error)) throw error;
    });
    return performance.now() - before;
  }

  /** Asks the server to end as the protocol wants it; after `limitMs` its input ends, which ends it as well. */
  async shutDown(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    const orderly = async (): Promise<void> => {
      await this.#connection.sendRequest('shutdown');
      await this.#connection.sendNotification('exit');
    };
    await Promise.race([orderly().catch(() => {}), limit]);
    clearTimeout(timer);
    this.#streams.stdin.end();
  }

  dispose(): void {
    this.#connection.dispose();
  }

  /** Requests that a server may wait for; any other is refused as unknown by the connection itself. */
  #answerWithoutClient(): void {
    this.#connection.onRequest('workspace/configuration', (params: { items?: unknown[] }) =>
      (params.items ?? []).map(() => null),
    );
    for (const method of ANSWERED_WITH_NULL) this.#connection.onRequest(method, () => null);
  }
}

const PING = 'coppice/ping';

const ANSWERED_WITH_NULL = [
  'client/registerCapability',
  'client/unregisterCapability',
  'window/workDoneProgress/create',
  'window/showMessageRequest',
  'workspace/workspaceFolders',
];

function capabilitiesOf(result: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof result !== 'object' || result === null || !('capabilities' in result)) return null;
  const { capabilities } = result;
  return typeof capabilities === 'object' && capabilities !== null ? (capabilities as Record<string, unknown>) : null;
}

/** Whether the error is the server's own answer rather than the end of the connection. */
function isAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  const { code } = error;
  return code !== ErrorCodes.PendingResponseRejected && code !== ErrorCodes.ConnectionInactive;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
