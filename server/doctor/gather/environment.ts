import type { ServiceConfig } from '../../config/model.ts';
import { cleanEnvironment, ENVIRONMENT_RULES } from '../../process/environment.ts';
import { readEnvironmentVariable } from '../../process/table.ts';
import type { LockReading } from '../../store/holder.ts';
import type { EnvironmentFacts, TreeFacts } from '../facts.ts';

/** By the launcher's own table, so that what it preserves is no stain here (R119). */
export function lookAtEnvironment(
  own: NodeJS.ProcessEnv,
  { lock, verdict }: LockReading,
  trees: readonly TreeFacts[],
  services: ReadonlyMap<string, ServiceConfig>,
): EnvironmentFacts {
  const cleaned = cleanEnvironment(own);
  // Of another process one variable at a time can be asked for, so the prefixes of the table are left out there.
  const supervisor =
    lock === null || verdict !== 'live'
      ? []
      : ENVIRONMENT_RULES.exact.filter((name) => typeof readEnvironmentVariable(lock.pid, name) === 'string');
  const leaked = trees.flatMap(({ record, leader }) => {
    if (leader !== 'alive') return [];
    const names = Object.fromEntries(record.environment.map((name) => [name, '']));
    const asked = services.get(record.name)?.env ?? {};
    const variables = cleanEnvironment(names).removed.filter(
      (name) => name !== 'COPPICE_TREE' && !Object.hasOwn(asked, name),
    );
    return variables.length === 0 ? [] : [{ name: record.name, variables }];
  });
  const stripped = [...new Set([...cleaned.removed, ...supervisor])].sort();
  return { stripped, preserved: cleaned.preserved, leaked };
}
