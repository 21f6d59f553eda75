/** Supervisors that take over after one that was lost. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { liveness } from '../../server/process/identity.ts';
import type { ProcessIdentity } from '../../server/process/types.ts';
import { type SupervisedWorkspace, signal, untilGone } from './supervised.ts';
import { until } from './until.ts';
import { PROJECT, RunningCommand } from './workspace.ts';

/** Ends the supervisor as a crash does, its guardian too: no successor comes but those that the test starts. */
export async function killSupervisor(workspace: SupervisedWorkspace): Promise<ProcessIdentity> {
  const supervisor = workspace.supervisor();
  await workspace.killAll();
  return supervisor;
}

/** Starts one as the guardian does; where another was quicker, it ends by itself. */
export function beginSuccessor(workspace: SupervisedWorkspace, env: NodeJS.ProcessEnv = {}): RunningCommand {
  const argv = [join(PROJECT, 'dist/supervisor.cjs'), '--root', workspace.root, '--successor', '1'];
  const child = spawn(process.execPath, argv, { cwd: '/', env: { ...workspace.env, ...env }, stdio: 'pipe' });
  return new RunningCommand(child);
}

/** Waits for one that has taken over and serves. */
export async function untilSucceeded(workspace: SupervisedWorkspace, lost: ProcessIdentity): Promise<ProcessIdentity> {
  await until('a successor that serves', async () => {
    const { lock } = workspace;
    if (lock === null || lock.pid === lost.pid || liveness(lock) !== 'alive') return false;
    return (await workspace.status()).supervisor?.pid === lock.pid;
  });
  return workspace.supervisor();
}

/** Kills the supervisor and waits until the successor that its guardian starts has taken over. */
export async function succeed(workspace: SupervisedWorkspace): Promise<ProcessIdentity> {
  const lost = workspace.supervisor();
  signal(lost, 'SIGKILL');
  await untilGone([lost]);
  return untilSucceeded(workspace, lost);
}
