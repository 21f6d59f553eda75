import type { DoctorFacts } from './facts.ts';
import type { CheckResult, EnvironmentSection, Finding } from './types.ts';

/**
 * Do children see a clean world? The table of the launcher is applied to what was given to those that run; a name that
 * the table preserves is no stain. Names only: values may be secrets.
 */
export function checkEnvironment({ environment }: DoctorFacts): CheckResult<EnvironmentSection> {
  const { leaked, stripped, preserved } = environment;
  const findings = leaked.map(
    ({ name, variables }): Finding => ({
      check: 'environment',
      // The entry's own `env` may ask for any name, and the registry does not say who asked.
      level: 'warn',
      message: `${name} was started with ${variables.join(', ')}, which children do not get unless their entry asks for it`,
      fix: `if its entry does not ask for it: \`coppice restart ${name}\``,
    }),
  );
  if (stripped.length > 0) {
    findings.push({
      check: 'environment',
      level: 'info',
      message: `children do not get ${stripped.join(', ')}`,
      fix: null,
    });
  }
  return { section: { clean: leaked.length === 0, stripped, preserved }, findings };
}
