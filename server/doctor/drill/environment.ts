import { readFileSync } from 'node:fs';
import { ENVIRONMENT_RULES } from '../../process/environment.ts';
import { logPath } from '../../store/paths.ts';
import type { Stage } from './stage.ts';
import { fails, holds, type Outcomes, untested } from './types.ts';

const STRIPPED = 'no mark of the host that Coppice runs under (an editor, a coding agent) reaches a child';
const KEPT = 'what a child needs does reach it: PATH, proxies, keys, and names on the list of what is preserved';

/** With these set, Node itself would not start, or would speak to a parent that is none. */
const NOT_SETTABLE = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID', 'COPPICE_TREE', '_'];
const NEEDED = ['HTTPS_PROXY', 'no_proxy', 'DRILL_API_KEY', 'npm_config_registry'];

/** The whole table of marks, set all at once, as under the worst of hosts. */
export async function* drillEnvironment(stage: Stage): Outcomes {
  const { exact, prefixes, preserve } = ENVIRONMENT_RULES;
  const marks = [...exact, ...prefixes.map((prefix) => `${prefix}DRILL`)].filter((one) => !NOT_SETTABLE.includes(one));
  const kept = [...preserve.filter((one) => typeof one === 'string'), ...NEEDED];
  const script = 'process.stdout.write(JSON.stringify(process.env) + "\\n"); setInterval(() => {}, 1e9)';
  const trouble = await stage.up(
    { child: { command: [process.execPath, '-e', script], ready: { log: '^{' } } },
    Object.fromEntries([...marks, ...kept].map((name) => [name, 'drill'])),
  );
  if (trouble !== null) return yield* [STRIPPED, KEPT].map((one) => untested(one, trouble));
  const seen = JSON.parse(readFileSync(logPath(stage.stateDir, 'child'), 'utf8').split('\n')[0] ?? '{}') as object;
  const leaked = marks.filter((name) => Object.hasOwn(seen, name));
  const missing = ['PATH', ...kept].filter((name) => !Object.hasOwn(seen, name));
  yield leaked.length === 0
    ? holds(STRIPPED, `${marks.length} names were set, none arrived`)
    : fails(STRIPPED, `arrived: ${leaked.join(', ')}`);
  yield missing.length === 0
    ? holds(KEPT, `${kept.length + 1} names arrived`)
    : fails(KEPT, `did not arrive: ${missing.join(', ')}`);
}
