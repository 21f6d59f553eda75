import { existsSync } from 'node:fs';
import type { LockReading } from '../../store/holder.ts';
import { describeFinding, type Workspace } from '../../store/paths.ts';
import type { RegistryContent } from '../../store/registryFile.ts';
import type { FactProblem, FolderFacts } from '../facts.ts';

/** What the readers of the store found wrong, in words. */
export function problemsOf(
  workspace: Workspace,
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
