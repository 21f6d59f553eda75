/** The one place that turns failures of a launch, and what a stop proved, into words. */
import type { EmptyProof, LaunchFailure } from './types.ts';

/** Says what could not be started, where it was looked for, and what to do about it. */
export function describeLaunchFailure(failure: LaunchFailure): string {
  switch (failure.reason) {
    case 'command_not_found':
      return `command not found: ${failure.command} (looked in ${failure.searched.join(', ') || 'no folder: PATH is empty'})`;
    case 'not_executable':
      return `cannot execute ${failure.command}: ${failure.detail}`;
    case 'bad_cwd':
      return `working directory ${failure.cwd}: ${failure.detail}`;
    case 'environment_file':
      return `environment file ${failure.file}: ${failure.detail}`;
    case 'resources':
      return `the system has no room for another process (${failure.code}): ${failure.detail}`;
    case 'spawn_error':
      return `cannot start ${failure.command} (${failure.code}): ${failure.detail}`;
    default:
      return failure satisfies never;
  }
}

/** One line for the journal and for people: "3 processes confirmed gone" and, if any, who is left and why. */
export function describeProof(proof: EmptyProof): string {
  const gone = `${proof.confirmed.length} ${proof.confirmed.length === 1 ? 'process' : 'processes'} confirmed gone`;
  if (proof.survivors.length === 0) return gone;
  const left = proof.survivors.map((one) => `pid ${one.identity.pid} (${one.name}): ${one.reason}`);
  return `${gone}, ${left.length} left: ${left.join('; ')}`;
}
