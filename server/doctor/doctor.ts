/** Puts the checks together. Pure over the facts; `gather.ts` brings them. */
import { checkBudgets } from './budgets.ts';
import { checkConfiguration } from './configuration.ts';
import { checkEnvironment } from './environment.ts';
import type { DoctorFacts } from './facts.ts';
import { checkFileSystem } from './filesystem.ts';
import { checkGuardian } from './guardian.ts';
import { checkHeartbeat } from './heartbeat.ts';
import { checkLock } from './lock.ts';
import { checkMachine } from './machine.ts';
import { checkPorts } from './ports.ts';
import { checkProcesses } from './processes.ts';
import { checkServices } from './services.ts';
import { checkState } from './state.ts';
import { checkEscaped, checkOrphans } from './strays.ts';
import { checkSupervisors } from './supervisors.ts';
import type { DoctorReport, Finding } from './types.ts';

export function diagnose(facts: DoctorFacts): DoctorReport {
  const supervisors = checkSupervisors(facts);
  const heartbeat = checkHeartbeat(facts);
  const guardian = checkGuardian(facts);
  const processes = checkProcesses(facts);
  const orphans = checkOrphans(facts);
  const escaped = checkEscaped(facts);
  const ports = checkPorts(facts);
  const environment = checkEnvironment(facts);
  const budgets = checkBudgets(facts);
  const findings: Finding[] = [
    ...facts.problems.map((one): Finding => ({ check: 'workspace', ...one })),
    ...checkConfiguration(facts),
    ...supervisors.findings,
    ...checkLock(facts),
    ...heartbeat.findings,
    ...guardian.findings,
    ...checkState(facts),
    ...processes.findings,
    ...orphans.findings,
    ...escaped.findings,
    ...ports.findings,
    ...environment.findings,
    ...budgets.findings,
    ...checkServices(facts),
    ...checkFileSystem(facts),
    ...checkMachine(facts),
  ];
  return {
    ok: findings.every((one) => one.level !== 'error'),
    workspace: { id: facts.id, root: facts.root, stateDir: facts.stateDir },
    supervisors: supervisors.section,
    heartbeat: heartbeat.section,
    guardian: guardian.section,
    ...processes.section,
    orphans: orphans.section,
    escaped: escaped.section,
    ports: ports.section,
    environment: environment.section,
    budgets: budgets.section,
    findings,
  };
}
