/** Words of the service policy: a pure function `(state, event, now) -> {state, actions}`. */
import type { ExitStatus } from '../../process/types.ts';

export type ServiceStateName =
  | 'stopped'
  | 'starting'
  | 'ready'
  | 'degraded'
  | 'backoff'
  | 'stopping'
  | 'failed'
  | 'completed';

/** Why an incarnation ended, as the journal and `ps` say it. */
export type ExitCause =
  | 'clean_exit'
  | 'runtime_error'
  | 'requested_stop'
  | 'oom_or_external_kill'
  | 'memory_drain'
  | 'wedged'
  | 'spawn_failure'
  | 'readiness_timeout'
  | 'unknown';

export interface LastExit extends ExitStatus {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly cause: ExitCause;
}

/** What befalls a service. Every event that speaks of a process names its incarnation; a stale one changes nothing. */
export type ServiceEvent =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  | { readonly type: 'restart' }
  | { readonly type: 'reset' }
  | { readonly type: 'spawned'; readonly incarnation: number }
  | {
      readonly type: 'spawn_failed';
      readonly incarnation: number;
      readonly message: string;
      /** The word for programs, such as `command_not_found`. */
      readonly reason?: string;
    }
  /** The leader ended. `deliberate` ends (stop, drain, wedge, readiness timeout) are known to the state. */
  | { readonly type: 'exited'; readonly incarnation: number; readonly status: ExitStatus }
  /** After `terminate` or `reap`: the tree is empty, or what survived is listed and given up. */
  | { readonly type: 'emptied'; readonly incarnation: number; readonly confirmed: number; readonly survivors: number }
  | { readonly type: 'probe_ready'; readonly incarnation: number }
  | { readonly type: 'readiness_timeout'; readonly incarnation: number; readonly message: string }
  | { readonly type: 'live'; readonly incarnation: number; readonly ok: boolean; readonly message: string }
  /** A confirmed memory verdict, sent when it changes. */
  | {
      readonly type: 'memory';
      readonly incarnation: number;
      readonly level: 'ok' | 'warn' | 'over';
      readonly bytes: number;
      /** The level's own limit, for the journal. */
      readonly limitBytes?: number | null;
    }
  | { readonly type: 'idle'; readonly incarnation: number }
  | { readonly type: 'timer'; readonly timer: TimerName; readonly incarnation: number }
  /** A successor found this incarnation; `ready` and `startedAt` (default: now) are what its predecessor had recorded. */
  | {
      readonly type: 'adopted';
      readonly incarnation: number;
      readonly ready: boolean;
      readonly startedAt?: number;
    };

/** `respawn` ends a backoff, `recovery` is 60 s in ready. At most one timer of a name is armed. */
export type TimerName = 'respawn' | 'recovery';

/** What the shell is to do, in order. */
export type ServiceAction =
  | { readonly type: 'spawn'; readonly incarnation: number }
  /** Gracefully: stop signal to the group, `stopTimeout`, SIGKILL, sweep; answered by `exited` (if it was running) and `emptied`. */
  | { readonly type: 'terminate'; readonly incarnation: number }
  /** The leader is gone: kill what it left, at once; answered by `emptied`. */
  | { readonly type: 'reap'; readonly incarnation: number }
  | { readonly type: 'arm'; readonly timer: TimerName; readonly at: number; readonly incarnation: number }
  | { readonly type: 'disarm'; readonly timer: TimerName }
  | { readonly type: 'watch'; readonly incarnation: number; readonly what: 'readiness' | 'liveness' }
  /** Ends readiness, liveness, memory and idle watching of this incarnation. */
  | { readonly type: 'unwatch'; readonly incarnation: number }
  | { readonly type: 'journal'; readonly entry: ServiceJournalEntry };

/** Journal events of DESIGN 9 that the policy decides; the shell adds name, time and process facts. */
export type ServiceJournalEntry =
  | { readonly event: 'service_spawned'; readonly incarnation: number }
  | {
      readonly event: 'spawn_failed';
      readonly incarnation: number;
      readonly message: string;
      readonly reason: string | null;
      readonly crashes: number;
    }
  | { readonly event: 'service_ready'; readonly incarnation: number; readonly startupMs: number }
  | {
      readonly event: 'service_exited';
      readonly incarnation: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly runDurationMs: number;
      readonly likelyCause: ExitCause;
      readonly crashes: number;
    }
  /** The tree is asked to end; `reason` tells why, and `service_exited` and `tree_reaped` how it did. */
  | { readonly event: 'service_stopping'; readonly incarnation: number; readonly reason: StopReason }
  /** `limit`: crashes in a row (this is number `crashes`) that open the breaker. */
  | {
      readonly event: 'backoff';
      readonly ms: number;
      readonly reason: string;
      readonly crashes: number;
      readonly limit: number;
    }
  | ({ readonly event: 'health_warn'; readonly reason: string; readonly detail: string } & WarningFacts)
  /** What was warned of is over. */
  | { readonly event: 'health_ok'; readonly incarnation: number }
  | { readonly event: 'breaker_open'; readonly reason: string; readonly text: string }
  /** It is in `failed` though no budget is spent: processes survived, or `restart: no` wants no other start. */
  | { readonly event: 'service_failed'; readonly reason: string; readonly text: string }
  | { readonly event: 'breaker_reset' }
  | { readonly event: 'adopted'; readonly incarnation: number };

/** Why a running tree is asked to end. */
export type StopReason = 'stop' | 'restart' | 'idle' | 'memory_drain' | 'wedged' | 'readiness_timeout' | 'taken_over';

/** Numbers behind the words of a warning, as far as it has them. */
export interface WarningFacts {
  /** Probes that failed in a row, and how many are a wedge. */
  readonly failures?: number | undefined;
  readonly failuresAllowed?: number | undefined;
  readonly bytes?: number | undefined;
  readonly limitBytes?: number | null | undefined;
  /** How often it happened within the budget's window, and how often it may. */
  readonly used?: number | undefined;
  readonly budget?: number | undefined;
  readonly windowMs?: number | undefined;
}
