import { failedText } from '../service/policy/describe.ts';
import { restore } from '../service/policy/snapshot.ts';
import { budgetUse, type RestartLimits } from '../service/restartCore.ts';
import { formatDuration } from '../text/units.ts';
import type { DoctorFacts } from './facts.ts';
import { quotes } from './say.ts';
import type { BudgetEntry, CheckResult, Finding } from './types.ts';

/** What of the restart budgets is used, by the accounts and the windows that the policy itself decides with (R115). */
export function checkBudgets(facts: DoctorFacts): CheckResult<readonly BudgetEntry[]> {
  const section: BudgetEntry[] = [];
  const findings: Finding[] = [];
  for (const [name, recorded] of Object.entries(facts.services)) {
    const restored = restore(recorded);
    if (restored === null) {
      findings.push(finding('warn', `the record of how often ${name} has failed cannot be understood`, null));
      continue;
    }
    const limits = facts.configured.get(name)?.restart ?? DEFAULT_LIMITS;
    const use = budgetUse(restored.state.accounting, facts.now, limits);
    const entries = BUDGETS.flatMap((budget): BudgetEntry[] => {
      const { count: limit, windowMs } = limits[budget];
      return use[budget] === 0 ? [] : [{ name, budget, used: use[budget], limit, windowMs }];
    });
    section.push(...entries);
    const failed = failedText(restored.state, name);
    if (failed === null) findings.push(...entries.flatMap(judge));
    else
      findings.push(sayFailed(name, failed, restored.state.name === 'failed' ? restored.state.failure.why.reason : ''));
  }
  return { section, findings };
}

const BUDGETS = ['crashes', 'slow', 'clean', 'drains', 'wedges'] as const;
const MINUTE = 60_000;

/** DESIGN 6, for services that the configuration does not know (any more) or that cannot be read. */
const DEFAULT_LIMITS: RestartLimits = {
  backoff: { initialMs: 1000, maxMs: MINUTE },
  crashes: { count: 8, windowMs: 5 * MINUTE },
  slow: { count: 10, windowMs: 60 * MINUTE },
  clean: { count: 10, windowMs: MINUTE },
  drains: { count: 3, windowMs: 10 * MINUTE },
  wedges: { count: 3, windowMs: 30 * MINUTE },
  recoveryMs: MINUTE,
};

const WORDS = {
  crashes: 'crashes in a row',
  slow: 'crashes',
  clean: 'clean exits',
  drains: 'restarts because of memory',
  wedges: 'restarts because it did not answer',
} as const satisfies Record<BudgetEntry['budget'], string>;

/** How many more there may be before it stops in `failed` (or, of clean exits, is slowed down). */
function left({ budget, used, limit }: BudgetEntry): number {
  // The breaker opens at exactly its count; the others with the one after it.
  return budget === 'crashes' ? limit - used : limit + 1 - used;
}

function judge(entry: BudgetEntry): Finding[] {
  const { name, budget, used, limit, windowMs } = entry;
  const rest = left(entry);
  const told = `${name}: ${used} ${WORDS[budget]} within ${formatDuration(windowMs)}`;
  if (budget === 'clean') {
    if (rest > 0) return [];
    const fix = `is it meant to run on? ${quotes(`coppice logs ${name}`)} shows why it ends`;
    return [finding('warn', `${told}: more than ${limit}, so it starts once a second at most`, fix)];
  }
  if (rest > Math.max(1, Math.floor(limit / 4))) return [];
  const fix = `${quotes(`coppice logs ${name}`)} shows what it says; ${quotes(`coppice reset ${name}`)} after a repair`;
  const next = rest <= 1 ? 'one more and it' : `${rest} more and it`;
  return [finding('warn', `${told}: ${next} stops in \`failed\``, fix)];
}

function sayFailed(name: string, failed: string, reason: string): Finding {
  const spent = reason !== 'not_restarted';
  const go = spent ? `coppice reset ${name}` : `coppice start ${name}`;
  const fix = `${quotes(`coppice logs ${name}`)} shows its output; after a repair: ${quotes(go)}`;
  return finding(spent ? 'error' : 'warn', `${name} has failed: ${failed}`, fix);
}

function finding(level: Finding['level'], message: string, fix: string | null): Finding {
  return { check: 'budgets', level, message, fix };
}
