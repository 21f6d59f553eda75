import type { EmptyProof } from '../process/types.ts';

/** What a request did to one name. */
export type OutcomeReason =
  | 'started'
  | 'already_running'
  | 'restarted'
  | 'stopped'
  | 'not_running'
  | 'survivors'
  | 'reset'
  | 'not_failed'
  | 'failed'
  | 'unknown_name'
  | 'not_a_service'
  | 'shutting_down';

export interface NameOutcome {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: OutcomeReason;
  readonly message: string;
  /** Of stops and restarts: what was found and proven gone. */
  readonly proof: EmptyProof | null;
}

/** The one place that turns outcomes into words. `text` is what a failed service says of itself. */
export function outcome(
  name: string,
  reason: OutcomeReason,
  proof: EmptyProof | null = null,
  text: string | null = null,
): NameOutcome {
  const left = reason === 'stopped' && proof !== null && proof.survivors.length > 0;
  const actual = left ? 'survivors' : reason;
  return { name, ok: isDone(actual), reason: actual, message: words(name, actual, text), proof };
}

function isDone(reason: OutcomeReason): boolean {
  switch (reason) {
    case 'started':
    case 'already_running':
    case 'restarted':
    case 'stopped':
    case 'not_running':
    case 'reset':
      return true;
    case 'not_failed':
    case 'survivors':
    case 'failed':
    case 'unknown_name':
    case 'not_a_service':
    case 'shutting_down':
      return false;
    default:
      return reason satisfies never;
  }
}

function words(name: string, reason: OutcomeReason, text: string | null): string {
  switch (reason) {
    case 'started':
      return `${name} is being started`;
    case 'already_running':
      return `${name} runs already`;
    case 'restarted':
      return `${name} was restarted`;
    case 'stopped':
      return `${name} is stopped, and nothing of it is left`;
    case 'not_running':
      return `${name} was not running`;
    case 'survivors':
      return `${name} was stopped, but some of its processes are still there`;
    case 'reset':
      return `${name} is reset: its counts are at 0 and it may be started again`;
    case 'not_failed':
      return `${name} is not in state failed, so there is nothing to reset`;
    case 'failed':
      return `${name} has failed and needs \`coppice reset ${name}\` before it may start again${text === null ? '' : `:\n${text}`}`;
    case 'unknown_name':
      return `there is no service or task named ${name}`;
    case 'not_a_service':
      return `${name} is a task, not a service`;
    case 'shutting_down':
      return `the supervisor is shutting down and starts nothing more`;
    default:
      return reason satisfies never;
  }
}
