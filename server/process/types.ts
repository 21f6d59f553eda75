/** The shared vocabulary of the process layer. */

/**
 * What makes a process itself: a pid alone is recycled. `startTime` is the kernel's own start stamp as an opaque
 * string (field 22 of `/proc/<pid>/stat` on Linux); compare it for equality only.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

/**
 * `alive`: this very process runs (EPERM counts as alive). `zombie`: it ended and waits to be reaped, so it is dead.
 * `gone`: no process has the pid. `recycled`: another process has it. `unknown`: cannot be told (record without a
 * start time, another boot's format); such a process may be neither signalled nor waited for without end.
 */
export type Liveness = 'alive' | 'zombie' | 'gone' | 'recycled' | 'unknown';

/** One row of the process table. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly state: string;
  readonly startTime: string;
  /** The kernel's short name of the program; untrusted text. */
  readonly name: string;
}

/** How one start ended. Exactly one of `code` and `signal` is set unless the end was not witnessed. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Everything that is needed to find a process tree again, by whoever comes next. The leader is the command's own
 * process, in a session and group of its own (`leader.pid === group === session` where the platform can). The keeper
 * is the tiny process that started it, waits for it and writes the exit record; `null` where the platform has none.
 */
export interface TreeIdentity {
  readonly leader: ProcessIdentity;
  readonly keeper: ProcessIdentity | null;
  readonly group: number;
  readonly session: number;
  /** Value of `COPPICE_TREE`: `<workspace id>/<name>/<incarnation>/<random>`. */
  readonly marker: string;
}

/** A member of a tree and the strongest evidence that it belongs to it. */
export interface TreeMember {
  readonly identity: ProcessIdentity;
  readonly evidence: 'keeper' | 'leader' | 'group' | 'session' | 'marker' | 'lineage';
  readonly name: string;
}

export interface Survivor extends TreeMember {
  /** Why it is still there, in words, such as "in uninterruptible sleep" or "belongs to another user". */
  readonly reason: string;
}

/**
 * The proof that a stop gives: what was found, what is left. `emptyScans` censuses in a row were empty; 0 with nobody
 * left is the kernel's own word: the keeper ended by itself, which it does when wait(2) knows of no descendant.
 */
export interface EmptyProof {
  readonly confirmed: readonly TreeMember[];
  readonly survivors: readonly Survivor[];
  readonly emptyScans: number;
  readonly killed: boolean;
  readonly durationMs: number;
}

export type StdinMode = 'ignore' | 'hold';

/** A start of a process tree, everything decided. */
export interface LaunchRequest {
  /** Program as an absolute path, then its arguments (`resolveCommand` finds the path). */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment of the child, marker included (`composeEnvironment` makes it). */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: StdinMode;
  /** Append-only file for stdout and stderr in order; created 0600 with its folder when missing. */
  readonly outputPath: string;
  /** Where the keeper writes the exit record; its folder exists. */
  readonly exitRecordPath: string;
  readonly marker: string;
  /** The tree must not outlive the process that launches it: its keeper stops it then, by itself. */
  readonly pact?: Pact;
}

/** How a tree is stopped. */
export interface Pact {
  /** To the whole group. */
  readonly stopSignal: NodeJS.Signals;
  /** From the signal to SIGKILL for every descendant, ms. */
  readonly stopTimeoutMs: number;
}

export type LaunchFailure =
  | { readonly reason: 'command_not_found'; readonly command: string; readonly searched: readonly string[] }
  | { readonly reason: 'not_executable'; readonly command: string; readonly detail: string }
  | { readonly reason: 'bad_cwd'; readonly cwd: string; readonly detail: string }
  | { readonly reason: 'environment_file'; readonly file: string; readonly detail: string }
  | { readonly reason: 'resources'; readonly code: string; readonly detail: string }
  | { readonly reason: 'spawn_error'; readonly command: string; readonly code: string; readonly detail: string };

/** A running tree as its launcher holds it. */
export interface LaunchedTree {
  readonly identity: TreeIdentity;
  /** Byte offset in the output file where this start's output begins. */
  readonly outputOffset: number;
  /** Settles when the leader ended, at once and whatever descendants still live. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** `true` once its keeper has ended by itself, with nothing left below it; `false` where nobody will say so. */
  readonly emptied: Promise<boolean>;
}

export type LaunchResult =
  | { readonly ok: true; readonly tree: LaunchedTree }
  | { readonly ok: false; readonly failure: LaunchFailure };

/** The keeper's record of how a leader ended; one file a start. */
export interface ExitRecord {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** `keeper` saw it; `supervisor` wrote it because the keeper was killed. */
  readonly witness: 'keeper' | 'supervisor';
  /** The keeper ended the tree because its supervisor was lost: no crash, and no end of its own. */
  readonly pact?: true;
}
