/** Shapes of the durable files of DESIGN 4. All times are epoch milliseconds unless a name says otherwise. */
import type { Place } from '../process/place.ts';
import type { ProcessIdentity, TreeIdentity } from '../process/types.ts';
import type { ClockMark } from './clocks.ts';

/** `<workspace>/.coppice/supervisor.lock`. */
export interface SupervisorLock {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
  /** Inode of the pid namespace (`readlink /proc/self/ns/pid`), `null` where there are none. */
  readonly pidNamespace: string | null;
  readonly endpoint: string;
  readonly stateDir: string;
  readonly version: string;
  readonly startedAt: number;
  readonly limits: SupervisorLimits;
  /** `<device>:<inode>` of the workspace: a lock that came along with a copy of the folder is told by it. */
  readonly folder?: string;
  /** Random, so that no two claims ever have the same text. */
  readonly nonce?: string;
}

export interface SupervisorLimits {
  readonly maxHeapMb: number;
}

/** `<workspace>/.coppice/workspace.json`. */
export interface WorkspaceFile {
  readonly id: string;
  readonly stateDir: string;
}

export interface Heartbeat {
  readonly pid: number;
  readonly startTime: string;
  readonly at: number;
  readonly uptimeMs: number;
  readonly eventLoopDelayMs: number;
  readonly memory: { readonly heapUsedMb: number; readonly rssMb: number };
  readonly services: Readonly<Record<string, number>>;
  readonly runs: readonly string[];
  /** The supervisor's own clock beside the one that all processes of this boot share. */
  readonly clock?: ClockMark;
}

/** What stands behind a session: an editor window, a terminal's command, or a name that somebody chose. */
export type SessionHolder = 'window' | 'terminal' | 'named';

export const SESSION_HOLDERS: readonly SessionHolder[] = ['window', 'terminal', 'named'];

/** Whose a tree is: the configuration's, or a client session's. */
export type Owner = { readonly kind: 'configuration' } | SessionOwner;

export interface SessionOwner {
  readonly kind: 'session';
  readonly session: string;
  readonly holder: SessionHolder;
  /** The client that asked; `null` where it could not be identified. */
  readonly process: ProcessIdentity | null;
}

/** One live tree in `registry.json`. */
export interface TreeRecord {
  /** `service/<name>`, `task/<run id>/<name>` or `exec/<id>`; for what an end left, `leftover/<that>/<random>`. */
  readonly key: string;
  readonly name: string;
  readonly role: 'service' | 'task' | 'exec';
  readonly incarnation: number;
  readonly tree: TreeIdentity;
  readonly owner: Owner;
  readonly onSupervisorLoss: 'adopt' | 'stop';
  readonly logPath: string;
  readonly outputOffset: number;
  readonly exitRecordPath: string;
  readonly ports: readonly number[];
  readonly startedAt: number;
  readonly readyAt: number | null;
  /** Names only, never values. */
  readonly environment: readonly string[];
  /** Everyone the census ever saw in this tree and that may still live: the lineage ledger. */
  readonly lineage: readonly ProcessIdentity[];
  /** Where its pids mean what they say; without it, wherever the reader is. */
  readonly place?: Place;
}

export interface RegistryFile {
  readonly version: 1;
  /** Number of the last change that it holds; later ones are lines of `registry.changes.jsonl`. */
  readonly changes: number;
  readonly supervisor: { readonly pid: number; readonly startTime: string };
  readonly trees: readonly TreeRecord[];
  /** Per service: what restart accounting a successor must continue with (opaque to the store). */
  readonly services: Readonly<Record<string, unknown>>;
  /** What was asked for and is not done yet, so that a successor goes on with it (opaque to the store). */
  readonly intent: Readonly<Record<string, unknown>>;
}

export type { ExitRecord } from '../process/types.ts';

/** One line of `events.jsonl`. */
export interface JournalEvent {
  readonly seq: number;
  readonly at: number;
  /** Pid of the supervisor that wrote it. */
  readonly supervisor: number;
  readonly event: string;
  readonly [field: string]: unknown;
}
