/**
 * The process of a service of `kind: lsp`: `languageHost --socket <path> -- <server> <argument...>`. It is launched like
 * any other managed child, runs the language server on pipes of its own, and outlives the supervisor together with it.
 * Its exit is the server's: the same code, or 128 and the number of the signal.
 */
import { constants } from 'node:os';
import { describeLaunchFailure } from '../process/describe.ts';
import { launchPiped } from '../process/launch.ts';
import { resolveCommand } from '../process/resolve.ts';
import type { ExitStatus } from '../process/types.ts';
import type { HostQuestion, HostStatus } from '../service/probes/lsp.ts';
import { serveStatus } from './hostStatus.ts';
import { ServerConversation } from './initialize.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
/** What a shell answers when there is no such command. */
const EXIT_NOT_FOUND = 127;
/** Time for the server's own end at a stop; less than a service is given by default before SIGKILL. */
const SHUTDOWN_MS = 2_000;

void main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const request = parseWords(words);
  if (request === null) return end(EXIT_USAGE, 'usage: languageHost --socket <path> -- <server> [argument...]');
  const cwd = process.cwd();
  const env = ownEnvironment();
  const resolved = resolveCommand({ kind: 'argv', argv: request.argv }, { cwd, workspaceRoot: cwd, env });
  if (!resolved.ok) return end(EXIT_NOT_FOUND, describeLaunchFailure(resolved.failure));

  let status: HostStatus = { ready: false, capabilities: 0, serverPid: null, error: null };
  let conversation: ServerConversation | null = null;
  const answer = async (question: HostQuestion): Promise<HostStatus> => {
    if (question.ask === 'status' || conversation === null || !status.ready) return status;
    try {
      return { ...status, latencyMs: await conversation.latency() };
    } catch (error) {
      return { ...status, ready: false, error: (error as Error).message };
    }
  };
  const serving = await serveStatus(request.socket, answer);
  if (!serving.ok) return end(EXIT_FAILED, serving.detail);
  const leave = (code: number, message?: string): void => {
    serving.server.close();
    end(code, message);
  };

  const launched = await launchPiped({ argv: resolved.argv, cwd, env });
  if (!launched.ok) return leave(EXIT_NOT_FOUND, describeLaunchFailure(launched.failure));
  const server = launched.process;
  status = { ...status, serverPid: server.pid };
  const current = new ServerConversation(server, say);
  conversation = current;
  let ending: 'SIGTERM' | 'SIGINT' | 'refused' | null = null;
  const stop = (why: NonNullable<typeof ending>): void => {
    if (ending !== null) return;
    ending = why;
    void current.shutDown(SHUTDOWN_MS);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
  // The terminal that started the supervisor may close; that is no reason to end.
  process.on('SIGHUP', () => {});

  void server.exited.then((exit) => {
    current.dispose();
    const how = exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`;
    if (ending === null) leave(exitCodeOf(exit), `the language server ended (${how})`);
    else if (ending === 'refused') leave(exitCodeOf(exit) || EXIT_FAILED);
    // Ended by a signal, as any program would be: a 0 would say that it was done.
    else leave(exitCodeOf({ code: null, signal: ending }));
  });
  const outcome = await current.initialize(cwd);
  if (outcome.ok) {
    status = { ...status, ready: true, capabilities: Object.keys(outcome.capabilities).length };
    return;
  }
  if (ending !== null) return;
  // The server is of no use, and only a new one may be better: its exit is what the supervisor acts on.
  say(outcome.detail);
  status = { ...status, error: outcome.detail };
  stop('refused');
}

function parseWords(words: readonly string[]): { socket: string; argv: [string, ...string[]] } | null {
  const [flag, socket, dashes, program, ...rest] = words;
  if (flag !== '--socket' || socket === undefined || dashes !== '--' || program === undefined) return null;
  return { socket, argv: [program, ...rest] };
}

/** The supervisor cleaned it and put the tree's marker in; the server is of the same tree and gets it as it is. */
function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function exitCodeOf({ code, signal }: ExitStatus): number {
  return signal === null ? (code ?? EXIT_FAILED) : 128 + constants.signals[signal];
}

function say(line: string): void {
  process.stderr.write(`coppice: ${line}\n`);
}

/** Everything was closed or is the system's to close; waiting for it could only hold the exit up. */
function end(code: number, message?: string): void {
  if (message !== undefined) say(message);
  process.exit(code);
}
