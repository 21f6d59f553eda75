/** Puts the checks together. Pure over the facts; `gather.ts` brings them. */
import { checkBudgets } from './budgets.ts';
import { checkEnvironment } from './environment.ts';
import type { DoctorFacts } from './facts.ts';
import { checkHeartbeat } from './heartbeat.ts';
import { checkPorts } from './ports.ts';
import { checkProcesses } from './processes.ts';
import { checkEscaped, checkOrphans } from './strays.ts';
import { checkSupervisors } from './supervisors.ts';
import type { DoctorReport, Finding } from './types.ts';

export function diagnose(facts: DoctorFacts): DoctorReport {
  const supervisors = checkSupervisors(facts);
  const heartbeat = checkHeartbeat(facts);
  const processes = checkProcesses(facts);
  const orphans = checkOrphans(facts);
  const escaped = checkEscaped(facts);
  const ports = checkPorts(facts);
  const environment = checkEnvironment(facts);
  const budgets = checkBudgets(facts);
  const results = [supervisors, heartbeat, processes, orphans, escaped, ports, environment, budgets];
  const problems = facts.problems.map((one): Finding => ({ check: 'workspace', ...one }));
  const findings = [...problems, ...results.flatMap((one) => one.findings)];
  return {
    ok: findings.every((one) => one.level !== 'error'),
    workspace: { id: facts.id, root: facts.root, stateDir: facts.stateDir },
    supervisors: supervisors.section,
    heartbeat: heartbeat.section,
    ...processes.section,
    orphans: orphans.section,
    escaped: escaped.section,
    ports: ports.section,
    environment: environment.section,
    budgets: budgets.section,
    findings,
  };
}
