import type { DoctorFacts } from './facts.ts';
import type { CheckResult, Finding, PortEntry } from './types.ts';

/** Reserved ports: does the tree itself listen, or has somebody else taken its place? */
export function checkPorts(facts: DoctorFacts): CheckResult<readonly PortEntry[]> {
  const findings: Finding[] = [];
  const section = facts.ports.map(({ port, name, owner, words }): PortEntry => {
    if (owner === null) return { port, name, status: 'free', holder: null };
    const members = facts.trees.filter((one) => one.record.name === name).flatMap((one) => one.members);
    const ours = owner.pid !== null && members.some((one) => one.identity.pid === owner.pid);
    if (!ours) {
      findings.push({
        check: 'ports',
        level: 'warn',
        message: `port ${port} of ${name} is held by ${words ?? 'somebody else'}`,
        fix: `end that process, or give ${name} another port`,
      });
    }
    return { port, name, status: ours ? 'held' : 'taken', holder: words };
  });
  return { section, findings };
}
