/** The one place that turns states and failures of a service into words. */
import { formatBytes, formatDuration } from '../../text/units.ts';
import type { BackoffState, DegradedState, FailedState, ServiceState, StoppingState } from './state.ts';
import type { ExitCause, LastExit } from './types.ts';

/** One line for `ps`: why it is as it is and what comes next; `null` when the state says it all. */
export function detail(state: ServiceState, now: number, name: string): string | null {
  switch (state.name) {
    case 'stopped':
      return state.because === 'idle' ? 'stopped because it was idle' : null;
    case 'starting':
    case 'ready':
      return null;
    case 'degraded':
      return describeDegraded(state);
    case 'backoff':
      return describeBackoff(state, now);
    case 'stopping':
      return describeStopping(state);
    case 'failed':
      return failedText(state, name);
    case 'completed':
      return state.lastExit === null ? null : describeExit(state.lastExit);
    default:
      return state satisfies never;
  }
}

/** What happened, how it ended last, what was found of it, and the command that goes on; `null` unless it failed. */
export function failedText(state: ServiceState, name: string): string | null {
  if (state.name !== 'failed') return null;
  return `${failureText(state)}; ${wayOut(state, name)}`;
}

/** The same without the command, for the journal, which does not speak to a person at a terminal. */
export function failureText({ failure, lastExit }: Pick<FailedState, 'failure' | 'lastExit'>): string {
  const parts = [whatHappened(failure)];
  if (lastExit !== null) parts.push(`last exit: ${describeExit(lastExit)}`);
  if (failure.message !== null && failure.message !== '') parts.push(failure.message);
  if (failure.confirmed > 0) {
    const processes =
      failure.confirmed === 1 ? '1 process that it left was' : `${failure.confirmed} processes that it left were`;
    parts.push(`${processes} ended`);
  }
  if (failure.survivors > 0 && failure.why.reason !== 'survivors') {
    parts.push(`${countProcesses(failure.survivors)} could not be ended`);
  }
  return parts.join('; ');
}

/** Such as `code 1`, or `signal SIGKILL (out of memory, or killed from outside)`. */
export function describeExit({ code, signal, cause }: LastExit): string {
  const what = signal !== null ? `signal ${signal}` : code !== null ? `code ${code}` : null;
  const why = describeCause(cause);
  if (what === null) return why ?? 'nobody saw how it ended';
  return why === null ? what : `${what} (${why})`;
}

function whatHappened({ why, survivors }: FailedState['failure']): string {
  switch (why.reason) {
    case 'crashes': {
      const window = formatDuration(why.windowMs);
      return why.count === 1 ? 'crashed once' : `crashed ${why.count} times, each within ${window} of the one before`;
    }
    case 'slow':
      return `crashed ${countTimes(why.count)} within ${formatDuration(why.windowMs)}`;
    case 'drains':
      return `used more memory than it may ${countTimes(why.count)} within ${formatDuration(why.windowMs)}`;
    case 'wedges':
      return `stopped answering ${countTimes(why.count)} within ${formatDuration(why.windowMs)}`;
    case 'not_restarted':
      return 'ended, and its restart policy is `no`';
    case 'survivors':
      return `${countProcesses(survivors)} could not be ended, and nothing is started beside them`;
    default:
      return why satisfies never;
  }
}

function wayOut({ failure }: FailedState, name: string): string {
  return failure.why.reason === 'not_restarted'
    ? `\`coppice start ${name}\` starts it again`
    : `\`coppice reset ${name}\` allows it to start again`;
}

function describeDegraded({ failedProbes, message, warnedBytes }: DegradedState): string {
  const reasons: string[] = [];
  if (failedProbes > 0) {
    const said = message === null || message === '' ? '' : `: ${message}`;
    reasons.push(`liveness probe failed ${countTimes(failedProbes)}${said}`);
  }
  if (warnedBytes !== null) reasons.push(`uses ${formatBytes(warnedBytes)} of memory, over its warning level`);
  return reasons.join('; ');
}

function describeBackoff(state: BackoffState, now: number): string {
  const why = describeReason(state);
  if (state.reaping) return `${why}; ends what it left before it respawns`;
  return `${why}; respawns in ${formatDuration(state.respawnAt - now)}`;
}

function describeReason({ reason, lastExit, message, accounting }: BackoffState): string {
  switch (reason) {
    case 'clean_exit':
      return 'exited with code 0';
    case 'clean_budget_exceeded':
      return `exited with code 0 ${countTimes(accounting.clean.length)} in a short time`;
    case 'crash': {
      const said = message ?? (lastExit === null ? null : describeExit(lastExit));
      return said === null || said === '' ? `crash ${accounting.crashes}` : `crash ${accounting.crashes}: ${said}`;
    }
    default:
      return reason satisfies never;
  }
}

function describeStopping({ purpose, cause }: StoppingState): string | null {
  switch (purpose.kind) {
    case 'stop':
      return purpose.because === 'idle' ? 'stops because it was idle' : null;
    case 'restart':
      return 'starts again once nothing of it is left';
    case 'respawn':
      return `${describeCause(cause) ?? 'ends'}; starts again once nothing of it is left`;
    case 'backoff':
      return `was not ready in time: ${purpose.message}`;
    case 'fail':
      return failureText({ failure: purpose.failure, lastExit: null });
    case 'complete':
      return 'exited with code 0; ends what it left';
    default:
      return purpose satisfies never;
  }
}

/** `null` where the code or signal says as much. */
function describeCause(cause: ExitCause): string | null {
  switch (cause) {
    case 'clean_exit':
    case 'runtime_error':
      return null;
    case 'requested_stop':
      return 'was asked to stop';
    case 'oom_or_external_kill':
      return 'out of memory, or killed from outside';
    case 'memory_drain':
      return 'used more memory than it may';
    case 'wedged':
      return 'stopped answering';
    case 'spawn_failure':
      return 'could not be started';
    case 'readiness_timeout':
      return 'was not ready in time';
    case 'unknown':
      return null;
    default:
      return cause satisfies never;
  }
}

function countTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function countProcesses(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
