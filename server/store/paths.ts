/**
 * Where everything of a workspace lies (DESIGN 4): the folder `.coppice` in the workspace for what says who is master,
 * and the state directory outside of it for what changes while things run. Light: `coppice ps` loads it.
 */
import { join } from 'node:path';
import { encodeName } from './names.ts';

export { type Endpoint, endpointProblem, planEndpoint } from './endpoint.ts';
export { decodeName, encodeName } from './names.ts';
export {
  describeFinding,
  describeWorkspaceFailure,
  resolveWorkspace,
  type StateDirProblem,
  type StoreFinding,
  type Workspace,
  type WorkspaceFailure,
  type WorkspaceResult,
} from './workspace.ts';

export function lockPath(root: string): string {
  return join(root, '.coppice', 'supervisor.lock');
}

export function heartbeatPath(stateDir: string): string {
  return join(stateDir, 'heartbeat.json');
}

/** Who guards the supervisor, and what is left of the budget for its losses. */
export function guardianPath(stateDir: string): string {
  return join(stateDir, 'guardian.json');
}

/** The configuration that is in force, for a successor. */
export function keptConfigurationPath(stateDir: string): string {
  return join(stateDir, 'configuration.json');
}

export function registryPath(stateDir: string): string {
  return join(stateDir, 'registry.json');
}

/** The journal's newest file; older ones are `events.1.jsonl` and so on. */
export function journalPath(stateDir: string): string {
  return join(stateDir, 'events.jsonl');
}

export function logsFolder(stateDir: string): string {
  return join(stateDir, 'logs');
}

/** What a service prints. The name is encoded; `decodeName` of the file name without `.log` gives it back. */
export function logPath(stateDir: string, name: string): string {
  return join(logsFolder(stateDir), `${encodeName(name)}.log`);
}

export function exitsFolder(stateDir: string): string {
  return join(stateDir, 'exits');
}

/** The exit record of one start. `key` is that of the registry (`service/web`). The claim creates the folder. */
export function exitRecordPath(stateDir: string, key: string, incarnation: number): string {
  return join(exitsFolder(stateDir), `${encodeName(key)}-${incarnation}.json`);
}

export function runsFolder(stateDir: string): string {
  return join(stateDir, 'runs');
}

/** Folder of one run: `run.json`, one log and one exit record a task. */
export function runFolder(stateDir: string, run: string): string {
  return join(runsFolder(stateDir), encodeName(run));
}

export function execsFolder(stateDir: string): string {
  return join(stateDir, 'execs');
}

/** What is known of one command of `coppice exec`. */
export function commandFilePath(stateDir: string, id: string): string {
  return join(execsFolder(stateDir), `${encodeName(id)}.json`);
}

export function cacheFolder(stateDir: string): string {
  return join(stateDir, 'cache');
}
