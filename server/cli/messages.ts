/** The one table that turns reasons into words, each with what to do next. */
import type { ConnectFailure } from '../api/client.ts';
import { formatDuration } from '../text/units.ts';
import type { CliFailure, Holder } from './failures.ts';
import { Exit } from './verb.ts';
import { oneLine } from './width.ts';

export function describeFailure(failure: CliFailure): string {
  switch (failure.reason) {
    case 'no_supervisor':
      return failure.gap === null
        ? `no supervisor runs for ${failure.root}; \`coppice up\` starts one`
        : `the supervisor of ${failure.root} was lost${typeof failure.gap === 'object' ? ` (${oneLine(failure.gap.gaveUp)})` : ''}; \`coppice up\` starts one that takes over what runs, \`coppice doctor\` looks at what is there`;
    case 'unreachable':
      return `${describeHolder(failure.holder)} holds the workspace, but ${describeConnectFailure(failure.failure)}.\n\`coppice doctor\` looks at it; \`kill -9 ${failure.holder.pid}\` ends it, and what it runs goes on`;
    case 'elsewhere':
      return `${describeHolder(failure.holder)} holds the workspace from another machine or container; run the command there`;
    case 'start_failed':
      return withOutput(`the supervisor ended before it was ready to serve (${failure.status})`, failure.output);
    case 'start_configuration':
      return withOutput('the supervisor did not accept the configuration', failure.output);
    case 'start_timeout':
      return withOutput(
        `the supervisor was started and does not serve after ${formatDuration(failure.afterMs)}; \`coppice doctor\` says more`,
        failure.output,
      );
    case 'no_program':
      return `the supervisor's program is missing (looked for ${failure.searched.join(', ')}); build it with \`npm run build\``;
    case 'workspace':
      return failure.detail;
    case 'endpoint_refused':
      return `the lock of the workspace names an endpoint that is not safe to use, ${failure.detail}; nothing was sent to it`;
    case 'timeout':
      return `the supervisor (pid ${failure.pid}) did not answer "${failure.request}" within ${formatDuration(failure.afterMs)}; \`coppice doctor\` looks at it`;
    case 'connection_lost':
      return `the supervisor (pid ${failure.pid}) closed the connection during "${failure.request}"; \`coppice ps\` shows how things stand`;
    case 'ended':
      return `the supervisor (pid ${failure.pid}) has ended, and everything with it, before it could answer "${failure.request}"; \`coppice up\` brings the workspace up again`;
    case 'no_successor':
      return `the supervisor (pid ${failure.pid}) was lost, and no other has taken over ${failure.said === null ? `within ${formatDuration(failure.afterMs)}` : `(${oneLine(failure.said)})`}. What it ran may still run: \`coppice up\` starts a supervisor that takes it over, \`coppice doctor\` looks at what is there`;
    case 'not_repeated':
      return `the supervisor (pid ${failure.pid}) was lost during "${failure.request}", which may be done or not; pid ${failure.successor} has taken over. \`coppice ps\` shows how things stand`;
    case 'moved':
      return `the supervisor (pid ${failure.pid}) was lost, and pid ${failure.holder} holds the workspace now: ${oneLine(failure.detail)}. \`coppice doctor\` looks at it`;
    case 'shutting_down':
      return `the supervisor (pid ${failure.pid}) is shutting down; try again in a moment`;
    case 'refused':
      return `the supervisor refused "${failure.request}": ${oneLine(failure.detail)}`;
    default:
      return failure satisfies never;
  }
}

/** The exit code of the contract for a failure that ends a verb. */
export function exitCodeOf(failure: CliFailure): number {
  switch (failure.reason) {
    case 'elsewhere':
    case 'unreachable':
    case 'endpoint_refused':
    case 'moved':
      return Exit.held;
    case 'start_configuration':
      return Exit.configuration;
    case 'workspace':
      return Exit.usage;
    case 'no_supervisor':
    case 'start_failed':
    case 'start_timeout':
    case 'no_program':
    case 'timeout':
    case 'connection_lost':
    case 'ended':
    case 'no_successor':
    case 'not_repeated':
    case 'shutting_down':
    case 'refused':
      return Exit.failed;
    default:
      return failure satisfies never;
  }
}

export function describeConnectFailure(failure: ConnectFailure): string {
  switch (failure.reason) {
    case 'not_listening':
      return `nothing answers at ${failure.endpoint} (${failure.detail})`;
    case 'no_permission':
      return `its endpoint ${failure.endpoint} may not be used by this user (${failure.detail})`;
    case 'no_answer':
      return `it does not answer at ${failure.endpoint} (waited ${formatDuration(failure.afterMs)}); it may be stopped or stuck`;
    case 'version_mismatch':
      return `it is of another version: ${oneLine(failure.detail)}. Use the command of that version, or end it and bring the workspace up again`;
    case 'refused':
      return `it refused the connection: ${oneLine(failure.detail)}`;
    default:
      return failure satisfies never;
  }
}

/** `supervisor 4711 on host (version 0.1.0, since 12:30:05, heap limit 512 MB)`. */
export function describeHolder(holder: Holder): string {
  const since = new Date(holder.startedAt).toISOString();
  return `supervisor pid ${holder.pid} on ${oneLine(holder.hostname)} (version ${oneLine(holder.version)}, since ${since}, heap limit ${holder.maxHeapMb} MB)`;
}

export function unknownName(name: string, near: string | null, known: readonly string[]): string {
  const guess = near === null ? '' : `; did you mean ${near}?`;
  const list = known.length === 0 ? 'The configuration has no services.' : `There are: ${known.join(', ')}.`;
  return `there is no service named ${oneLine(name)}${guess}\n${list}`;
}

function withOutput(text: string, output: string): string {
  const trimmed = output.trim();
  return trimmed === '' ? text : `${text}:\n${trimmed.replace(/^/gm, '  ')}`;
}
