/** The socket on which a language host says how its server is: one line of JSON asks, one line of JSON answers. */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { HostQuestion, HostStatus } from '../service/probes/lsp.ts';

export type Answerer = (question: HostQuestion) => Promise<HostStatus>;

export interface StatusServer {
  /** Ends open conversations too, and removes the socket. */
  close(): void;
}

export type StatusServerResult =
  | { readonly ok: true; readonly server: StatusServer }
  | { readonly ok: false; readonly detail: string };

/** Serves at `path`, a socket that only its owner may use, in a folder that only its owner may enter. */
export async function serveStatus(path: string, answer: Answerer): Promise<StatusServerResult> {
  const refused = preparePlace(path);
  if (refused !== null) return { ok: false, detail: refused };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    converse(socket, answer);
  });
  const failure = await listen(server, path);
  if (failure !== null) return { ok: false, detail: `cannot listen at ${path}: ${failure}` };
  if (!isPipe(path)) chmodSync(path, 0o600);
  const close = (): void => {
    for (const socket of open) socket.destroy();
    // Node removes the socket's file as well.
    server.close();
  };
  return { ok: true, server: { close } };
}

const LONGEST_QUESTION = 64 * 1024;
/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the last of them 0. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107;

function isPipe(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\');
}

/** Why nothing may be served there; `null` when all is well. What an earlier host left is removed. */
function preparePlace(path: string): string | null {
  if (isPipe(path)) return null;
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return `the path of the socket is ${Buffer.byteLength(path)} bytes long, ${LONGEST_PATH} is the most: ${path}`;
  }
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const info = lstatSync(folder);
    if (!info.isDirectory()) return `${folder} is not a folder`;
    if (info.uid !== process.getuid?.()) return `${folder} belongs to another user`;
    if ((info.mode & 0o077) !== 0) return `${folder} is open to other users`;
    rmSync(path, { force: true });
    return null;
  } catch (error) {
    return `cannot use ${folder}: ${(error as Error).message}`;
  }
}

function listen(server: Server, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ path, exclusive: true }, () => resolve(null));
  });
}

/** Whoever does not speak the language is told so and let go. */
function converse(socket: Socket, answer: Answerer): void {
  let text = '';
  let last: Promise<void> = Promise.resolve();
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      last = last.then(() => reply(socket, line, answer));
    }
    if (text.length > LONGEST_QUESTION) refuse(socket, 'a question without end');
  });
}

async function reply(socket: Socket, line: string, answer: Answerer): Promise<void> {
  const question = parse(line);
  if (question === null) return refuse(socket, 'expected {"ask":"status"} or {"ask":"latency"}');
  const status = await answer(question);
  if (socket.writable) socket.write(`${JSON.stringify(status)}\n`);
}

function refuse(socket: Socket, problem: string): void {
  socket.end(`${JSON.stringify({ problem })}\n`);
}

function parse(line: string): HostQuestion | null {
  try {
    const value: unknown = JSON.parse(line);
    const ask = (value as Partial<HostQuestion> | null)?.ask;
    return ask === 'status' || ask === 'latency' ? { ask } : null;
  } catch {
    return null;
  }
}
