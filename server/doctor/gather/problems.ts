import { existsSync } from 'node:fs';
import type { LockReading } from '../../store/holder.ts';
import { describeFinding, planEndpoint, type Workspace } from '../../store/paths.ts';
import type { RegistryContent } from '../../store/registryFile.ts';
import type { FactProblem, FolderFacts } from '../facts.ts';

/** What the readers of the store found wrong, in words. */
export function problemsOf(
  workspace: Workspace,
  environment: NodeJS.ProcessEnv,
  lock: LockReading,
  registry: RegistryContent,
  folders: readonly FolderFacts[],
): FactProblem[] {
  const problems: FactProblem[] = workspace.findings.map((one) => ({
    level: 'warn',
    message: describeFinding(one),
    fix: null,
  }));
  if (lock.verdict === 'live' && folders.every((one) => one.answers) && !existsSync(lock.lock.stateDir)) {
    problems.push({
      level: 'error',
      message: `the state directory ${lock.lock.stateDir} was removed while supervisor ${lock.lock.pid} runs: it goes on, and can record nothing`,
      fix: '`coppice down`, then `coppice up`, creates it anew',
    });
  }
  problems.push(...endpointProblems(workspace.id, environment));
  for (const finding of registry.findings) {
    const corrupt = finding.kind === 'registry_corrupt';
    const message = corrupt
      ? `${finding.path}: ${finding.records === 'all' ? 'it' : `${finding.records} of its records`} cannot be understood`
      : `${finding.path} cannot be read: ${finding.failure.detail}`;
    problems.push({
      level: 'error',
      message,
      fix: corrupt ? '`coppice up` sets it aside and rebuilds it from the process table' : null,
    });
  }
  return problems;
}

/** Where a supervisor that is started from here would listen. */
function endpointProblems(id: string, environment: NodeJS.ProcessEnv): FactProblem[] {
  const planned = planEndpoint(id, { environment });
  if (!planned.ok) {
    const fix = planned.failure.problem === 'not_private' ? '`coppice doctor --fix` makes it private' : null;
    return [{ level: 'error', message: `no supervisor can listen: ${planned.failure.detail}`, fix }];
  }
  return planned.endpoint.findings.map((one) => ({ level: 'warn', message: describeFinding(one), fix: null }));
}
