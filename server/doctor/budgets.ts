import { failedText } from '../service/policy/describe.ts';
import { restore } from '../service/policy/snapshot.ts';
import type { DoctorFacts } from './facts.ts';
import type { BudgetEntry, CheckResult, Finding } from './types.ts';

/** What of the restart budgets is used, from the same accounts that the policy keeps (R115). */
export function checkBudgets(facts: DoctorFacts): CheckResult<readonly BudgetEntry[]> {
  const section: BudgetEntry[] = [];
  const findings: Finding[] = [];
  for (const [name, recorded] of Object.entries(facts.services)) {
    const restored = restore(recorded);
    if (restored === null) continue;
    const { accounting } = restored.state;
    const used = {
      crashes: accounting.crashes,
      slow: accounting.slow.length,
      clean: accounting.clean.length,
      drains: accounting.drains.length,
      wedges: accounting.wedges.length,
    } as const;
    for (const budget of ['crashes', 'slow', 'clean', 'drains', 'wedges'] as const) {
      if (used[budget] > 0) section.push({ name, budget, used: used[budget] });
    }
    const failed = failedText(restored.state, name);
    if (failed === null) continue;
    const fix = `\`coppice logs ${name}\` shows its output; after a repair: \`coppice reset ${name}\``;
    findings.push({ check: 'budgets', level: 'warn', message: `${name} has failed: ${failed}`, fix });
  }
  return { section, findings };
}
