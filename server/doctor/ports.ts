import type { DoctorFacts } from './facts.ts';
import type { CheckResult, Finding, PortEntry } from './types.ts';

/** Ports that entries want: does the tree itself listen, or has somebody else taken its place? */
export function checkPorts(facts: DoctorFacts): CheckResult<readonly PortEntry[]> {
  const findings: Finding[] = [];
  const section = facts.ports.map(({ port, name, owner, ours, words }): PortEntry => {
    if (owner === null) return { port, name, status: 'free', holder: null };
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
