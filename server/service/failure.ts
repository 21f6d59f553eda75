import { tailLines } from '../process/output/index.ts';
import { failedText } from './policy/describe.ts';
import type { ServiceState } from './policy/policy.ts';

/** So many of the last lines stand in the text of a failure. */
const LAST_LINES = 10;

/** The text of a spent budget with the last lines that the service printed; `null` unless it failed. */
export async function describeFailure(
  state: ServiceState,
  name: string,
  log: string,
  fromOffset: number,
): Promise<string | null> {
  const text = failedText(state, name);
  if (text === null) return null;
  const lines = await tailLines(log, LAST_LINES, { fromOffset }).catch(() => []);
  return lines.length === 0 ? text : `${text}\nlast lines of output:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
