/** What follows from the end of an attempt, and how a successor goes on with a task. Pure. */
import type { ExitRecord, ExitStatus } from '../process/types.ts';
import { isEnded, type TaskProgress, type TaskTerms } from './progress.ts';
import type { TaskStateName } from './status.ts';

/** Why a tree was being ended when its leader ended; `supervisor_lost` is `onSupervisorLoss: stop`. */
export type Interruption = 'canceled' | 'timed_out' | 'supervisor_lost';

export type AttemptEnd =
  | { readonly kind: 'ended'; readonly status: ExitStatus; readonly interruption: Interruption | null }
  | { readonly kind: 'not_started'; readonly message: string };

export type NextStep =
  | { readonly kind: 'settle'; readonly state: TaskStateName; readonly detail: string | null }
  /** Another attempt; `detail` says of the last one how it ended. */
  | { readonly kind: 'retry'; readonly detail: string };

/** What an attempt's end means for its task. `survived`: something of its tree could not be ended. */
export function afterAttempt(
  terms: TaskTerms,
  progress: Pick<TaskProgress, 'attempt' | 'canceledAt'>,
  end: AttemptEnd,
  survived: boolean,
): NextStep {
  const interruption = end.kind === 'ended' ? end.interruption : progress.canceledAt === null ? null : 'canceled';
  if (interruption === 'canceled') return { kind: 'settle', state: 'canceled', detail: 'canceled' };
  if (interruption === 'supervisor_lost') return { kind: 'settle', state: 'canceled', detail: LOST };
  if (end.kind === 'ended' && interruption === null && end.status.code !== null) {
    if (end.status.code === 0) return { kind: 'settle', state: 'succeeded', detail: null };
    if (terms.attentionCodes.includes(end.status.code)) {
      const detail = `exit code ${end.status.code}: a person must look`;
      return { kind: 'settle', state: 'needs_attention', detail };
    }
  }
  const words = describeEnd(terms, end);
  if (progress.attempt > terms.retries || progress.canceledAt !== null || survived) {
    return { kind: 'settle', state: interruption === 'timed_out' ? 'timed_out' : 'failed', detail: words };
  }
  return { kind: 'retry', detail: `attempt ${progress.attempt + 1} of ${terms.retries + 1}: ${words}` };
}

const LOST = 'ended with its supervisor, as `onSupervisorLoss: stop` asks';

/** What is known of a task by the time a successor looks at it. */
export interface TaskEvidence {
  /** A tree of its newest attempt is on record. */
  readonly tree: boolean;
  /** Of its newest attempt. */
  readonly exit: ExitRecord | 'corrupt' | null;
  /** The journal has its end already. */
  readonly told: { readonly state: TaskStateName; readonly exitCode: number | null } | null;
  /** Its command is known. */
  readonly configured: boolean;
}

export type Continuation =
  /** It has ended, as its record says. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'wait' }
  /** It had ended, and the journal says how; only the record of it could not be written (a full disk). */
  | { readonly kind: 'told'; readonly state: TaskStateName; readonly exitCode: number | null }
  | { readonly kind: 'cancel'; readonly detail: string }
  /** What runs of it, or ran a moment ago, is followed to its end. */
  | { readonly kind: 'follow' }
  /** The attempt ended, and nothing of it is left. */
  | {
      readonly kind: 'conclude';
      readonly status: ExitStatus;
      readonly at: number | null;
      /** It ended because its supervisor was lost. */
      readonly lost: boolean;
    }
  /** The attempt had been decided upon and was never launched. */
  | { readonly kind: 'launch' };

/** How a successor goes on with a task that was left in `progress`. */
export function continueTask(progress: TaskProgress, evidence: TaskEvidence): Continuation {
  if (isEnded(progress.state)) return { kind: 'ended' };
  if (evidence.told !== null) {
    const { state, exitCode } = evidence.told;
    return { kind: 'told', state, exitCode };
  }
  if (progress.state === 'waiting') {
    if (progress.canceledAt !== null) return CANCELED_BEFORE;
    return evidence.configured ? { kind: 'wait' } : NOT_CONFIGURED;
  }
  if (evidence.tree) return { kind: 'follow' };
  if (evidence.exit === 'corrupt') return UNWITNESSED;
  if (evidence.exit !== null) {
    const { code, signal, at, pact } = evidence.exit;
    return { kind: 'conclude', status: { code, signal }, at, lost: pact === true };
  }
  if (progress.canceledAt !== null) return CANCELED_BEFORE;
  return evidence.configured ? { kind: 'launch' } : NOT_CONFIGURED;
}

const UNWITNESSED: Continuation = {
  kind: 'conclude',
  status: { code: null, signal: null },
  at: null,
  lost: false,
};
const CANCELED_BEFORE: Continuation = { kind: 'cancel', detail: 'canceled before it started' };
const NOT_CONFIGURED: Continuation = { kind: 'cancel', detail: 'the configuration does not have it any more' };

/**
 * Why a leader that ended at `exitedAt` was being ended by then; what ended by itself before has a result, and that is
 * kept. `null` for a time that is not known: it ended just now.
 */
export function interruptionOf(
  progress: Pick<TaskProgress, 'canceledAt' | 'timedOutAt'>,
  exitedAt: number | null,
): Interruption | null {
  const after = (asked: number | null): boolean => asked !== null && (exitedAt === null || exitedAt >= asked);
  if (after(progress.canceledAt)) return 'canceled';
  return after(progress.timedOutAt) ? 'timed_out' : null;
}

/**
 * Whether a tree ended, or is to end, because its supervisor was lost. What ended, and not because its keeper saw the
 * supervisor's end, did so by itself.
 */
export function isLost({ onSupervisorLoss }: Pick<TaskTerms, 'onSupervisorLoss'>, exit: ExitRecord | null): boolean {
  return onSupervisorLoss === 'stop' && (exit === null || exit.pact === true);
}

/**
 * What is left of an attempt's time. The wall clock is the only one that two supervisors share: one that was set back
 * gives the time anew, one that was set forward ends it.
 */
export function timeLeft(timeoutMs: number, startedAt: number | null, now: number): number {
  const elapsed = startedAt === null ? 0 : Math.max(0, now - startedAt);
  return Math.max(0, timeoutMs - elapsed);
}

function describeEnd(terms: TaskTerms, end: AttemptEnd): string {
  if (end.kind === 'not_started') return end.message;
  const { status, interruption } = end;
  if (interruption === 'timed_out') return `not done within ${terms.timeoutMs} ms`;
  if (status.signal !== null) return `killed by ${status.signal}`;
  return status.code === null ? 'its end was not witnessed' : `exit code ${status.code}`;
}
