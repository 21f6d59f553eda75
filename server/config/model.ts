/**
 * The configuration as the rest of the server sees it: validated, with every default filled in, durations in
 * milliseconds, sizes in bytes, paths absolute. `config/schema` produces it; nothing downstream re-checks it.
 */

/** What to run. `argv` is never given to a shell; `shell` is one script for the platform's shell. */
export type CommandSpec =
  | { readonly kind: 'argv'; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'shell'; readonly script: string };

/** `ready`, `started` and `completed` are asked of services, `succeeded` of tasks. */
export type DependencyCondition = 'ready' | 'started' | 'completed' | 'succeeded';

export interface Dependency {
  readonly name: string;
  readonly condition: DependencyCondition;
}

/** How a service is asked whether it works. Strings may still hold `${port}`, which is filled in at the start. */
export type ProbeTarget =
  | { readonly kind: 'http'; readonly target: string }
  | { readonly kind: 'tcp'; readonly port: string }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'exec'; readonly command: CommandSpec }
  | { readonly kind: 'lsp' };

/** `null` as `ready` means: stays up for one second. */
export interface ReadinessProbe {
  readonly probe: ProbeTarget;
  readonly intervalMs: number;
  /** The whole wait from spawn to ready; when it is over the start counts as a crash. */
  readonly timeoutMs: number;
}

export interface LivenessProbe {
  readonly probe: ProbeTarget;
  readonly intervalMs: number;
  /** One probe's own limit. */
  readonly timeoutMs: number;
  /** So many failures in a row are a wedge. */
  readonly failures: number;
}

/** A sliding window: more than `count` events within `windowMs` spend it, unless a rule says "at exactly". */
export interface BudgetConfig {
  readonly count: number;
  readonly windowMs: number;
}

export interface RestartConfig {
  readonly policy: 'always' | 'on-failure' | 'no';
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  /** Breaker: opens at exactly `count` crashes, each within `windowMs` of the one before. */
  readonly crashes: BudgetConfig;
  /** Slow budget: more than `count` crashes in `windowMs`; recovery does not refill it. */
  readonly slow: BudgetConfig;
  /** Clean restarts: more than `count` in `windowMs` warn and are slowed to one a second. */
  readonly clean: BudgetConfig;
  /** Memory drains: the one after `count` within `windowMs` fails the service. */
  readonly drains: BudgetConfig;
  /** Wedges: likewise. */
  readonly wedges: BudgetConfig;
  /** So long in `ready` is a recovery: crash count and delay go back to 0. */
  readonly recoveryMs: number;
}

export interface EntryConfig {
  readonly name: string;
  readonly command: CommandSpec;
  /** Absolute real path inside the workspace. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths (written relative to `cwd`), read in order at each start. */
  readonly envFiles: readonly string[];
  readonly dependsOn: readonly Dependency[];
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  readonly stdin: 'ignore' | 'hold';
  readonly onSupervisorLoss: 'adopt' | 'stop';
  /** What becomes of it when the session that asked for it is over and nobody else needs it. */
  readonly onOwnerLoss: 'stop' | 'adopt';
}

export interface ServiceConfig extends EntryConfig {
  readonly type: 'service';
  readonly kind: 'service' | 'vite' | 'preview' | 'lsp';
  readonly port: 'auto' | number | null;
  readonly ready: ReadinessProbe | null;
  readonly live: LivenessProbe | null;
  readonly restart: RestartConfig;
  readonly memory: { readonly warnBytes: number | null; readonly maxBytes: number | null };
  readonly idleStopMs: number | null;
  readonly enabled: boolean;
  readonly languages: readonly string[];
  readonly warm: 'off' | 'reload';
}

export interface TaskConfig extends EntryConfig {
  readonly type: 'task';
  /** Globs relative to `cwd`, `/` between folders; a leading `!` excludes. They stay inside the workspace. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly envInputs: readonly string[];
  readonly timeoutMs: number | null;
  readonly retries: number;
  readonly attentionCodes: readonly number[];
  readonly cache: boolean;
  readonly problemMatcher: readonly string[];
}

export interface WorkspaceConfig {
  /** Absolute path of the file that was read; `null` where the folder has none. */
  readonly file: string | null;
  readonly services: ReadonlyMap<string, ServiceConfig>;
  readonly tasks: ReadonlyMap<string, TaskConfig>;
  /** `idle.grace`: how long the supervisor stays after its last client left, and a session's things after its own. */
  readonly idleGraceMs: number;
}

/** What a finding is about, so that an editor can offer the fitting repair without reading the words. */
export type ConfigProblemCode =
  | 'file'
  | 'syntax'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-key'
  | 'wrong-type'
  | 'wrong-value'
  | 'name'
  | 'command'
  | 'shell-syntax'
  | 'placeholder'
  | 'path'
  | 'dependency'
  | 'cycle';

/** One finding of the analyser. Lines and columns count from 1; `offset`/`length` are in UTF-16 units. */
export interface ConfigDiagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: ConfigProblemCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly length: number;
  /** Dotted path of the field, such as `services.web.port`; empty for the whole file. */
  readonly path: string;
  /** What was expected and what was found. */
  readonly message: string;
  /** The text to write instead (or to add, for `shell-syntax`), when that can be guessed. */
  readonly suggestion: string | null;
  /** The line that it is about, for the caret; `null` where there is none. May hold a secret: show, never record. */
  readonly sourceLine: string | null;
}

export type ConfigResult =
  | {
      readonly ok: true;
      readonly config: WorkspaceConfig;
      readonly warnings: readonly ConfigDiagnostic[];
      /** What was read; absent where there is no file. */
      readonly text?: string;
    }
  | { readonly ok: false; readonly diagnostics: readonly ConfigDiagnostic[] };
