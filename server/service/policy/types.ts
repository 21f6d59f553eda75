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
  | { readonly type: 'spawn_failed'; readonly incarnation: number; readonly message: string }
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
  | { readonly event: 'spawn_failed'; readonly incarnation: number; readonly message: string; readonly crashes: number }
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
  | { readonly event: 'backoff'; readonly ms: number; readonly reason: string; readonly crashes: number }
  | { readonly event: 'health_warn'; readonly reason: string; readonly detail: string }
  | { readonly event: 'breaker_open'; readonly reason: string; readonly text: string }
  /** It is in `failed` though no budget is spent: processes survived, or `restart: no` wants no other start. */
  | { readonly event: 'service_failed'; readonly reason: string; readonly text: string }
  | { readonly event: 'breaker_reset' }
  | { readonly event: 'adopted'; readonly incarnation: number };
