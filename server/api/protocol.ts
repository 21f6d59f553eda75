/**
 * The protocol between a supervisor and its clients: JSON-RPC 2.0 (vscode-jsonrpc framing) over a Unix domain socket
 * or a named pipe. `hello` comes first; a request before it, or a version that is not ours, is answered by an error
 * and the connection is closed. Logs and the journal are read from their files, not through the supervisor.
 */
import type { ConfigDiagnostic } from '../config/model.ts';
import type { EmptyProof } from '../process/types.ts';
import type { NameOutcome } from '../service/outcome.ts';
import type { ServiceStatus } from '../service/status.ts';
import type { SessionHolder, SupervisorLimits } from '../store/types.ts';
import type { RunStatus } from '../task/status.ts';

export type { NameOutcome } from '../service/outcome.ts';
export type { OwnerKind } from '../service/owners.ts';
export type { ServiceStatus } from '../service/status.ts';
export type { SessionHolder } from '../store/types.ts';
export type { RunStatus, TaskStateName, TaskStatus } from '../task/status.ts';

export const PROTOCOL_VERSION = 1;

/** Largest message that the server takes, in bytes; a header that announces more closes the connection. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

export interface HelloParams {
  readonly protocol: number;
  readonly client: {
    readonly kind: 'cli' | 'editor' | 'agent' | 'other';
    readonly pid: number;
    readonly version: string;
    /**
     * Lease name; what this client starts belongs to it. `null`: what it starts belongs to the configuration. Another
     * process that says the same name joins the lease: a window that was reloaded keeps what it had.
     */
    readonly session: string | null;
    /** What stands behind the session. Default: `window` of an editor, `terminal` of a command, else `named`. */
    readonly holder?: SessionHolder;
  };
}
export interface HelloResult {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  readonly workspace: StatusResult['workspace'];
}

/** `ps --json`, to the letter of DESIGN 9; fields beyond it are additions. */
export interface StatusResult {
  readonly workspace: { readonly id: string; readonly root: string; readonly stateDir: string };
  readonly supervisor: {
    readonly pid: number;
    readonly startedAt: number;
    readonly version: string;
    readonly endpoint: string;
    readonly limits: SupervisorLimits;
    /** What starts a successor when this supervisor is lost; `null` where there is none. */
    readonly guardian: { readonly pid: number } | null;
    readonly heartbeat: { readonly ageMs: number; readonly memory: { heapUsedMb: number; rssMb: number } };
  } | null;
  readonly services: readonly ServiceStatus[];
  readonly runs: readonly RunStatus[];
  /** Who is there, and who is waited for. */
  readonly sessions: readonly SessionStatus[];
}

export interface NamesParams {
  /** Empty: all (of `up`: all that are enabled). */
  readonly names: readonly string[];
}
export interface UpParams extends NamesParams {
  /**
   * The caller's own name for this request, written as that of a command. Asked for again, also of a successor, it begins
   * no second run of tasks.
   */
  readonly id?: string;
}
export interface RestartParams extends NamesParams {
  /**
   * For who asks again: the incarnations that he saw before he asked first. What has a higher one by now, or is about to
   * start, was restarted since and is left alone.
   */
  readonly since?: Readonly<Record<string, number>>;
}
export interface NamesResult {
  readonly outcomes: readonly NameOutcome[];
}

export interface WaitParams {
  readonly name: string;
  readonly for: 'ready' | 'exit';
  /** `null`: no limit. */
  readonly timeoutMs: number | null;
}
export interface WaitResult {
  readonly outcome: 'reached' | 'failed' | 'timeout' | 'unknown_name';
  readonly message: string;
  readonly service: ServiceStatus | null;
}

export interface ReloadResult {
  readonly ok: boolean;
  readonly diagnostics: readonly ConfigDiagnostic[];
  /** Names by what the change did to them; everything else was not touched. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export interface ExecParams {
  /**
   * The caller's own name for this command: lower-case letters, digits, `.`, `_` and `-`, at most 64. Asked for again,
   * also of a successor, it starts nothing: the same command is answered, running or ended, and with `session: null` this
   * connection holds it too. For a day after its end. Without it every `exec` is a new command.
   */
  readonly id?: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The caller's own environment; cleaned by the supervisor like any other. */
  readonly env: Readonly<Record<string, string>>;
  /** `null`: the tree ends with this connection. Else it belongs to the named session until `reap`. */
  readonly session: string | null;
}
export interface ExecStarted {
  readonly id: string;
  readonly pid: number;
  readonly log: string;
}
export interface ExecResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly proof: EmptyProof;
}

export interface ReapParams {
  readonly session: string;
}
export interface ReapResult {
  readonly session: string;
  /** The session is connected, owned something, or is within its grace. */
  readonly known: boolean;
  readonly trees: readonly { readonly name: string; readonly proof: EmptyProof }[];
  /** What goes on, since somebody else needs it or `onOwnerLoss` is `adopt`, and whose it is now. */
  readonly handedOver: readonly { readonly name: string; readonly to: string }[];
  /** All sessions that there are. */
  readonly sessions: readonly SessionStatus[];
}

/** One session's lease. */
export interface SessionStatus {
  readonly session: string;
  readonly holder: SessionHolder;
  /**
   * `held`: connected. `lingering`: not connected, but its process lives. `leaving`: neither, and within the grace.
   * `ending`: what it started is being ended.
   */
  readonly state: 'held' | 'lingering' | 'leaving' | 'ending';
  /** While `leaving`: milliseconds until what it started is ended. */
  readonly leftMs: number | null;
  /** What belongs to it: services, running tasks' runs, commands. */
  readonly owns: readonly string[];
}

export interface DownResult {
  /** Every service, task and exec that was stopped; with `survivors` empty the workspace is proven empty. */
  readonly trees: readonly { readonly name: string; readonly proof: EmptyProof }[];
}

/** Requests: name to [params, result]. */
export interface Requests {
  hello: [HelloParams, HelloResult];
  status: [Record<string, never>, StatusResult];
  up: [UpParams, NamesResult];
  start: [UpParams, NamesResult];
  stop: [NamesParams, NamesResult];
  restart: [RestartParams, NamesResult];
  reset: [NamesParams, NamesResult];
  reload: [Record<string, never>, ReloadResult];
  wait: [WaitParams, WaitResult];
  /** Answers once the command runs; its end comes by `execWait`. */
  exec: [ExecParams, ExecStarted];
  execWait: [{ readonly id: string }, ExecResult];
  execStop: [{ readonly id: string }, ExecResult];
  reap: [ReapParams, ReapResult];
  /** From now on `changed` notifications come, at most ten a second, the first at once. */
  subscribe: [Record<string, never>, StatusResult];
  /** Stops everything and ends the supervisor; the answer comes before it exits. */
  down: [Record<string, never>, DownResult];
}
export type RequestName = keyof Requests;

/** Server to client. */
export interface Notifications {
  /** The whole of what changed: the services and runs whose status differs from the last notification. */
  changed: {
    readonly services: readonly ServiceStatus[];
    readonly removed: readonly string[];
    readonly runs: readonly RunStatus[];
  };
  /**
   * The last word on a connection: the supervisor ends of itself. `asked` and `workspace_gone`: everything is stopped,
   * and nobody takes its place. `lock_lost`: another has the workspace. `cannot_serve`: what runs is left to the next.
   * A connection that ends without it was lost.
   */
  closing: { readonly why: 'asked' | 'workspace_gone' | 'lock_lost' | 'cannot_serve' };
}

/** JSON-RPC error codes of our own; `data.reason` has the word. */
export const ErrorCode = {
  invalidParams: -32602,
  unknownMethod: -32601,
  helloFirst: -32001,
  versionMismatch: -32002,
  shuttingDown: -32003,
  spawnFailed: -32004,
  unknownExec: -32005,
} as const;
