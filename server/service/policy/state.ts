/** The states of a service, each with exactly the data that is legal in it. */
import type { RestartConfig, ServiceConfig } from '../../config/model.ts';
import { type Accounting, type BudgetName, emptyAccounting } from '../restartCore.ts';
import type { ExitCause, LastExit, ServiceAction, ServiceStateName } from './types.ts';

/** What is known in every state. */
export interface ServiceFacts {
  /** Of the last start, 0 before the first; what still runs or is still being ended has this number. */
  readonly incarnation: number;
  /** Starts that the policy itself decided on; those that were asked for do not count. */
  readonly restarts: number;
  readonly lastExit: LastExit | null;
  readonly accounting: Accounting;
}

export interface StoppedState extends ServiceFacts {
  readonly name: 'stopped';
  readonly because: 'idle' | null;
}

export interface StartingState extends ServiceFacts {
  readonly name: 'starting';
  /** `false` while the launch has not been answered. */
  readonly launched: boolean;
  readonly startedAt: number;
  /** Memory is over its warning level, which shows as `degraded` once it is ready. */
  readonly warnedBytes: number | null;
}

export interface ReadyState extends ServiceFacts {
  readonly name: 'ready';
  readonly startedAt: number;
  /** When the armed recovery timer is due; `null` when there is nothing to recover from. */
  readonly recoverAt: number | null;
}

export interface DegradedState extends ServiceFacts {
  readonly name: 'degraded';
  readonly startedAt: number;
  /** Liveness failures in a row; 0 when memory alone is the reason. */
  readonly failedProbes: number;
  /** What the last failed liveness probe said. */
  readonly message: string | null;
  readonly warnedBytes: number | null;
}

export interface BackoffState extends ServiceFacts {
  readonly name: 'backoff';
  /** The tree of the ended incarnation is not proven empty yet; the respawn timer is armed once it is. */
  readonly reaping: boolean;
  readonly respawnAt: number;
  /** The whole delay, counted from the end of the incarnation. */
  readonly delayMs: number;
  readonly reason: BackoffReason;
  /** What a failed start said. */
  readonly message: string | null;
}

export interface StoppingState extends ServiceFacts {
  readonly name: 'stopping';
  readonly startedAt: number;
  readonly purpose: StopPurpose;
  /** Why the leader ends, whatever the purpose becomes meanwhile. */
  readonly cause: ExitCause;
  /** `null` until the leader's end was told. */
  readonly exitedAt: number | null;
}

export interface FailedState extends ServiceFacts {
  readonly name: 'failed';
  readonly failure: Failure;
}

export interface CompletedState extends ServiceFacts {
  readonly name: 'completed';
}

export type RunningState = StartingState | ReadyState | DegradedState;

export type ServiceState = StoppedState | RunningState | BackoffState | StoppingState | FailedState | CompletedState;

export type BackoffReason = 'crash' | 'clean_exit' | 'clean_budget_exceeded';

/** What follows once the tree is proven empty. */
export type StopPurpose =
  | { readonly kind: 'stop'; readonly because: 'idle' | null }
  /** Somebody asked for another start. */
  | { readonly kind: 'restart' }
  /** A memory drain or a wedge: another start at once. */
  | { readonly kind: 'respawn' }
  /** A crash whose process had to be ended first. */
  | { readonly kind: 'backoff'; readonly delayMs: number; readonly message: string }
  | { readonly kind: 'fail'; readonly failure: Failure }
  | { readonly kind: 'complete' };

export interface Failure {
  readonly why: FailureReason;
  /** What a probe or a failed start said last. */
  readonly message: string | null;
  /** Processes of the last tree that were found and proven gone. */
  readonly confirmed: number;
  readonly survivors: number;
}

export type FailureReason =
  | { readonly reason: BudgetName; readonly count: number; readonly windowMs: number }
  /** Nothing is spent, but `restart: no` wants no other start. */
  | { readonly reason: 'not_restarted' }
  /** Processes outlived their own SIGKILL; a second incarnation beside them is never started. */
  | { readonly reason: 'survivors' };

export interface ServicePolicySettings extends RestartConfig {
  /** So many failed liveness probes in a row are a wedge. */
  readonly failures: number;
}

export interface Step {
  readonly state: ServiceState;
  readonly actions: readonly ServiceAction[];
}

/** What a step may know besides state and event. */
export interface StepContext {
  readonly now: number;
  readonly settings: ServicePolicySettings;
  readonly random: () => number;
}

export function initialState(): ServiceState {
  return { name: 'stopped', because: null, incarnation: 0, restarts: 0, lastExit: null, accounting: emptyAccounting() };
}

export function stateName(state: ServiceState): ServiceStateName {
  return state.name;
}

/** The part of a service's configuration that the policy looks at. */
export function policySettings(config: ServiceConfig): ServicePolicySettings {
  return { ...config.restart, failures: config.live?.failures ?? 1 };
}

/** Only `reset` leaves this state: a budget is spent, or processes survived. */
export function needsReset(state: ServiceState): boolean {
  return state.name === 'failed' && state.failure.why.reason !== 'not_restarted';
}

/** Somebody wants it to run: it does, or it will without being asked again. */
export function isWanted(state: ServiceState): boolean {
  switch (state.name) {
    case 'starting':
    case 'ready':
    case 'degraded':
    case 'backoff':
      return true;
    case 'stopping':
      return isRestarting(state.purpose);
    case 'stopped':
    case 'failed':
    case 'completed':
      return false;
    default:
      return state satisfies never;
  }
}

export function isRestarting(purpose: StopPurpose): boolean {
  switch (purpose.kind) {
    case 'restart':
    case 'respawn':
    case 'backoff':
      return true;
    case 'stop':
    case 'fail':
    case 'complete':
      return false;
    default:
      return purpose satisfies never;
  }
}

/** The facts alone, so that no data of one state leaks into the next. */
export function factsOf({ incarnation, restarts, lastExit, accounting }: ServiceFacts): ServiceFacts {
  return { incarnation, restarts, lastExit, accounting };
}
