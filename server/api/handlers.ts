import { ResponseError } from 'vscode-jsonrpc/node';
import type { Owner, SessionOwner } from '../store/types.ts';
import type { Supervisor } from '../supervisor.ts';
import type { ClientConnection, Handle } from './connection.ts';
import { ownerOf, ownerOfCommand, sessionOf } from './ownership.ts';
import {
  ErrorCode,
  type ExecParams,
  type ExecResult,
  type HelloResult,
  PROTOCOL_VERSION,
  type ReapResult,
  type ReloadResult,
  type RequestName,
  type Requests,
  type ServiceStatus,
  type StatusResult,
  type WaitParams,
  type WaitResult,
} from './protocol.ts';
import { journalRequest } from './requested.ts';

/** What the supervisor's process does for the handlers. */
export interface HandlerContext {
  readonly supervisor: Supervisor;
  readonly version: string;
  readonly status: () => StatusResult;
  /** What a new subscriber begins with; from now on he is told what differs from it. */
  readonly subscribed: () => StatusResult;
  readonly reload: () => Promise<ReloadResult>;
  readonly sessions: () => ClientSessions;
  /** Drains everything; the process ends after the answer was sent. */
  readonly down: () => Promise<Requests['down'][1]>;
}

/** The leases of clients' sessions. */
export interface ClientSessions {
  /** A client of this session has come; the answer is to be called when it has gone. */
  arrived(owner: SessionOwner): () => void;
  /** Something belongs to `owner` now, whose client need not be connected. */
  claimed(owner: Owner): void;
  reap(session: string): Promise<ReapResult>;
}

type Handlers = {
  readonly [Name in RequestName]: (
    params: Requests[Name][0],
    connection: ClientConnection,
  ) => Promise<Requests[Name][1]> | Requests[Name][1];
};

export function createHandlers(context: HandlerContext): Handle {
  const { supervisor } = context;
  const handlers: Handlers = {
    hello: (_params, connection): HelloResult => {
      const session = sessionOf(connection.client);
      if (session !== null && !connection.closed) connection.onClosed(context.sessions().arrived(session));
      return {
        protocol: PROTOCOL_VERSION,
        version: context.version,
        pid: process.pid,
        workspace: context.status().workspace,
      };
    },
    status: async () => {
      await supervisor.refreshMemory();
      return context.status();
    },
    up: ({ names, id }, connection) => ({ outcomes: supervisor.up(names, ownerOf(connection.client), id) }),
    start: ({ names, id }, connection) => ({ outcomes: supervisor.up(names, ownerOf(connection.client), id) }),
    stop: async ({ names }) => ({ outcomes: await supervisor.stop(names) }),
    restart: async ({ names, since }, connection) => ({
      outcomes: await supervisor.restart(names, ownerOf(connection.client), since),
    }),
    reset: ({ names }) => ({ outcomes: supervisor.reset(names) }),
    reload: () => context.reload(),
    wait: (params, connection) => waitFor(supervisor, params, connection),
    exec: (params, connection) => startCommand(context, params, connection),
    execWait: ({ id }) => endOfCommand(supervisor, id, false),
    execStop: ({ id }) => endOfCommand(supervisor, id, true),
    reap: ({ session }) => context.sessions().reap(session),
    subscribe: (_params, connection) => {
      connection.subscribed = true;
      return context.subscribed();
    },
    down: () => context.down(),
  };
  return (name, params, connection) => {
    journalRequest(supervisor.host, name, params, connection.client);
    return Promise.resolve(handlers[name](params, connection));
  };
}

async function startCommand(
  { supervisor, sessions }: HandlerContext,
  params: ExecParams,
  connection: ClientConnection,
): Promise<Requests['exec'][1]> {
  const { id = null, argv, cwd, env } = params;
  const known = id !== null && supervisor.commands.find(id) !== undefined;
  if (supervisor.stopping && !known) throw new ResponseError(ErrorCode.shuttingDown, 'the supervisor is shutting down');
  const owner = ownerOfCommand(connection.client, params.session);
  const started = await supervisor.exec({ argv, cwd, env, owner, attached: params.session === null }, id);
  if (!started.ok) throw new ResponseError(ErrorCode.spawnFailed, started.message, { reason: started.reason });
  const { command } = started;
  // A session that nobody is connected as begins its grace with its first command.
  if (params.session !== null) sessions().claimed(owner);
  // Without a session of its own a command lives as long as the terminal that asked for it.
  const release = command.hold();
  if (connection.closed) release();
  else void command.ended.then(connection.onClosed(release));
  return { id: command.id, pid: command.pid, log: command.log };
}

async function endOfCommand(supervisor: Supervisor, id: string, stop: boolean): Promise<ExecResult> {
  const command = supervisor.commands.find(id);
  if (command === undefined) throw new ResponseError(ErrorCode.unknownExec, `there is no command ${id}`);
  const { status, proof } = await (stop ? command.stop() : command.ended);
  return { ...status, proof };
}

function missedText(name: string, { state, failure, detail }: ServiceStatus): string {
  if (failure !== null) return `${name} has failed: ${failure}`;
  return detail === null ? `${name} is ${state}` : `${name} is ${state}: ${detail}`;
}

/** A longer delay makes a Node timer fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function waitFor(supervisor: Supervisor, params: WaitParams, connection: ClientConnection): Promise<WaitResult> {
  const service = supervisor.services.get(params.name);
  if (service === undefined) {
    return { outcome: 'unknown_name', message: `there is no service named ${params.name}`, service: null };
  }
  const limit = new AbortController();
  const timer =
    params.timeoutMs === null
      ? undefined
      : setTimeout(() => limit.abort(), Math.min(params.timeoutMs, LONGEST_TIMER_MS));
  const leave = connection.onClosed(() => limit.abort());
  const isReady = (): boolean => service.state === 'ready' || service.state === 'degraded';
  const reached = params.for === 'ready' ? isReady : (): boolean => service.atRest;
  const over = (): boolean => reached() || (params.for === 'ready' && service.atRest && !service.pending.coming);
  const settled = await service.until(over, limit.signal);
  clearTimeout(timer);
  leave();
  const status = service.status;
  if (reached()) return { outcome: 'reached', message: `${service.name} is ${status.state}`, service: status };
  if (!settled) {
    const text = `${service.name} is ${status.state}, not ${params.for === 'ready' ? 'ready' : 'at its end'}, after ${params.timeoutMs} ms`;
    return { outcome: 'timeout', message: text, service: status };
  }
  return {
    outcome: 'failed',
    message: missedText(service.name, status),
    service: status,
  };
}
