import { tailLines } from '../process/output/index.ts';
import { failedText } from './policy/describe.ts';
import type { ServiceState } from './policy/policy.ts';

/** So many of the last lines stand in the text of a failure. */
const LAST_LINES = 10;

/** The text of a spent budget, kept: the lines that stand in it are read from the log once. */
export class FailureText {
  #text: string | null = null;

  /** `null` unless the service has failed. */
  get text(): string | null {
    return this.#text;
  }

  clear(): void {
    this.#text = null;
  }

  /** `false`: it was reset while the lines were read, and has perhaps failed anew. */
  async explain(current: () => ServiceState, name: string, log: string, fromOffset: number): Promise<boolean> {
    const state = current();
    const text = await describeFailure(state, name, log, fromOffset);
    if (current() !== state) return false;
    this.#text = text;
    return true;
  }
}

async function describeFailure(
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
