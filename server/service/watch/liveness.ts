import type { ProbeResult } from '../probes/types.ts';
import { type Attempt, attemptWithin } from './attempt.ts';
import { pause } from './pause.ts';

export interface LivenessWatch {
  readonly attempt: Attempt;
  /** Read before each look, so that a reloaded configuration counts from then on. */
  readonly settings: () => { readonly intervalMs: number; readonly timeoutMs: number };
  readonly signal: AbortSignal;
  /** Told of every answer; whether several failures are a wedge is for the policy to say. */
  readonly onResult: (result: ProbeResult) => void;
}

/** Asks once an interval until `signal` is aborted; the next question waits for the last one's answer. */
export function watchLiveness(watch: LivenessWatch): void {
  void ask(watch);
}

async function ask({ attempt, settings, signal, onResult }: LivenessWatch): Promise<void> {
  while (await pause(settings().intervalMs, signal)) {
    const result = await attemptWithin(attempt, settings().timeoutMs, signal);
    if (signal.aborted) return;
    onResult(result);
  }
}
