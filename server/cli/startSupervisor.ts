/** Starts a supervisor that outlives this command, and watches over it until it serves. */
import { findProgram, supervisorCommand } from '../life/program.ts';
import { REMOVED_VARIABLE } from '../life/removedNames.ts';
import { cleanEnvironment } from '../process/environment.ts';
import { launchDetached } from '../process/launchDetached.ts';
import type { ExitStatus } from '../process/types.ts';
import type { LinkFailure } from './failures.ts';

/** What of its messages is kept to be shown when it dies before it serves. */
const MOST_OUTPUT = 16 * 1024;

export interface StartedSupervisor {
  readonly pid: number;
  /** Settles when it ends. */
  readonly exited: Promise<ExitStatus>;
  /** What it has printed as errors so far. */
  output(): string;
  /** Lets go of it, for good. */
  release(): void;
}

export type StartResult =
  | { readonly ok: true; readonly supervisor: StartedSupervisor }
  | { readonly ok: false; readonly failure: LinkFailure };

export async function startSupervisor(root: string, environment: NodeJS.ProcessEnv): Promise<StartResult> {
  const program = findProgram();
  if (!program.ok) return { ok: false, failure: { reason: 'no_program', searched: program.searched } };
  const { env, removed } = cleanEnvironment(environment);
  const started = await launchDetached({
    argv: supervisorCommand(program.file, root),
    // Not the workspace: a process keeps its working directory from being removed or unmounted.
    cwd: '/',
    // What was taken away here is told in the journal with what is taken away at each start.
    env: { ...env, [REMOVED_VARIABLE]: removed.join(' ') },
  });
  if (!started.ok) {
    const { describeLaunchFailure } = await import('../process/describe.ts');
    return {
      ok: false,
      failure: { reason: 'start_failed', status: describeLaunchFailure(started.failure), output: '' },
    };
  }
  const { process: child } = started;
  let output = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    output = (output + text).slice(-MOST_OUTPUT);
  });
  const exited = child.exited.then(async (status) => {
    // Its last words may still be on their way when its end is known.
    await new Promise<void>((resolve) => {
      if (child.stderr.readableEnded) return resolve();
      child.stderr.once('end', resolve);
      setTimeout(resolve, LAST_WORDS_MS);
    });
    return status;
  });
  return { ok: true, supervisor: { pid: child.pid, exited, output: () => output, release: () => child.release() } };
}

const LAST_WORDS_MS = 200;
